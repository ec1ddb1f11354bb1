#include "landscape/evaluation/evaluator.h"

#include <algorithm>
#include <numeric>

namespace topograd {

namespace {

/// Returns the number of points evaluated side by side: as many as give a GPU enough images to work
/// on at a time. One point whose images do is better alone: its values stay in the cache
/// (FusedPlan). A library that is called for each point alone had better see as many images.
int64_t points_at_once(Precision precision, int64_t images_per_point, const Context& context) {
  constexpr int64_t kImages = 2048, kMost = 8;
  if (context.device() != Device::cuda) return 2;
  if (convolves_point_by_point(precision, context)) return 1;
  return std::clamp<int64_t>(kImages / std::max<int64_t>(images_per_point, 1), 1, kMost);
}

/// Throws Error if a batch would hold one image: it has no variance if BatchNorm sees one value per
/// image.
void require_batches(const EvaluationSpec& spec, const ImageStages& stages) {
  const auto check = [&](int64_t images) {
    require(images > 1, "BatchNorm's statistics in batches of ", spec.statistics_batch,
            " would leave a batch of one image: choose another size, or another number of images");
  };
  if (spec.batchnorm == PointBatchnorm::recomputed) {
    const int64_t rest = spec.sets.front().count() % spec.statistics_batch;
    check(rest == 0 ? spec.statistics_batch : rest);
    return;
  }
  for (size_t stage = 0; stage < stages.stages(); ++stage)
    for (const ImageChunk& chunk : stages.chunks(stage)) check(chunk.end - chunk.begin);
}

}  // namespace

Evaluator::Evaluator(const EvaluationSpec& spec, ThreadPool& pool)
    : spec_(spec),
      pool_(pool),
      stages_(spec.sets, images_per_chunk(spec), spec.target_se, spec.first_stage,
              spec.populations),
      workers_(static_cast<size_t>(pool.threads())) {
  require(!spec.planes.empty() && !spec.losses.empty(), "nothing to evaluate: no plane or no loss");
  if (spec.batchnorm != PointBatchnorm::given) require_batches(spec, stages_);
  if (pool.device() == Device::cpu || spec.batchnorm != PointBatchnorm::given) return;
  on_device_ = std::make_unique<DeviceEvaluation>(
      spec.graph, network_on(0), spec.sets,
      DeviceEvaluationOptions{
          .losses = spec.losses,
          .points = points_at_once(spec.precision, images_per_point(), pool.main_context()),
          .precision = spec.precision,
          .stage_ends = stages_.ends()},
      pool.main_context());
}

Evaluator::~Evaluator() = default;

NetworkOnPlane Evaluator::network_on(size_t plane) const {
  const Direction& x = spec_.planes[plane].x;
  const Direction y = spec_.planes[plane].y.value_or(Direction{});
  return {spec_.theta,  spec_.running_stats, x.parameters,
          y.parameters, x.running_stats,     y.running_stats};
}

int64_t Evaluator::images_per_point() const {
  int64_t images = 0;
  for (const LabelledImages& set : spec_.sets) images += set.count();
  return images;
}

std::unique_ptr<PointWorker> Evaluator::make_worker() {
  if (spec_.batchnorm == PointBatchnorm::given) return make_plan_worker(spec_);
  return pool_.device() == Device::cpu ? make_network_worker(spec_)
                                       : make_network_worker(spec_, pool_);
}

void Evaluator::work(PointQueue& queue, Context& context) {
  std::unique_ptr<PointWorker>& worker = workers_[static_cast<size_t>(context.worker())];
  try {
    if (!worker) worker = make_worker();
    for (PointQueue::Item item; queue.take(item);) {
      worker->bind(item.task().position, item.task().plane, context);
      const auto& [set, begin, end] = item.chunk;
      queue.finish(item, worker->evaluate(set, begin, end, context));
    }
  } catch (...) {
    queue.abandon();
    throw;
  }
}

bool Evaluator::run(const TaskSource& source, const ResultSink& sink, const StopFlag& stop) {
  if (on_device_) return run_on_device(source, sink, stop);
  const bool helping = spec_.batchnorm != PointBatchnorm::recomputed;
  PointQueue queue(stages_, spec_.losses.size(), source, sink, stop, helping);
  if (pool_.device() == Device::cpu)
    pool_.for_each(pool_.threads(), [&](int64_t, Context& context) { work(queue, context); });
  else
    work(queue, pool_.main_context());  // not inside the pool: the worker uses it
  return queue.complete();
}

int64_t Evaluator::points_per_call() const {
  // About a second of GPU work: the host can stop only between calls.
  const int64_t images = pool_.device() == Device::cuda ? 200'000 : 1;
  const int64_t passes = images / (on_device_->points() * images_per_point());
  return std::max<int64_t>(1, passes) * on_device_->points();
}

std::vector<PointSums> Evaluator::sums_on_device(
    std::span<const std::array<double, 2>> coefficients) {
  const size_t points = coefficients.size(), sets = spec_.sets.size();
  std::vector<PointSums> sums(points, PointSums(sets, std::vector<LossSums>(spec_.losses.size())));
  std::vector<std::vector<SetProgress>> progress(points, std::vector<SetProgress>(sets));
  std::vector<size_t> going_on(points);
  std::iota(going_on.begin(), going_on.end(), 0);
  for (size_t stage = 0; !going_on.empty(); ++stage) {
    std::vector<std::array<double, 2>> there;
    for (size_t point : going_on) there.push_back(coefficients[point]);
    const auto parts = on_device_->evaluate(there, stage);
    for (size_t k = 0; k < going_on.size(); ++k) {
      const size_t point = going_on[k];
      for (size_t set = 0; set < sets; ++set) {
        if (progress[point][set].settled) continue;
        for (size_t loss = 0; loss < spec_.losses.size(); ++loss)
          sums[point][set][loss] += parts[k][set][loss];
        stages_.update(progress[point][set], set, sums[point][set].front());
      }
    }
    std::erase_if(going_on, [&](size_t point) { return all_settled(progress[point]); });
  }
  return sums;
}

bool Evaluator::run_on_device(const TaskSource& source, const ResultSink& sink,
                              const StopFlag& stop) {
  const auto planes = static_cast<int64_t>(spec_.planes.size());
  const auto most = static_cast<size_t>(std::max(points_per_call(), planes * on_device_->points()));
  for (bool dry = false; !dry;) {
    std::vector<std::vector<EvaluationTask>> tasks(spec_.planes.size());
    for (size_t count = 0; count < most; ++count) {
      const std::optional<EvaluationTask> task = source();
      dry = !task;
      if (dry) break;
      tasks[task->plane].push_back(*task);
    }
    for (const std::vector<EvaluationTask>& of_plane : tasks) {
      if (of_plane.empty()) continue;
      if (stop()) return false;
      evaluate_on_device(of_plane, sink);
    }
  }
  return true;
}

void Evaluator::evaluate_on_device(const std::vector<EvaluationTask>& tasks,
                                   const ResultSink& sink) {
  const size_t plane = tasks.front().plane;
  if (plane != device_plane_) on_device_->move_to(network_on(plane));
  device_plane_ = plane;
  std::vector<std::array<double, 2>> coefficients;
  for (const EvaluationTask& task : tasks)
    coefficients.push_back({task.position.alpha, task.position.beta});
  const std::vector<PointSums> sums = sums_on_device(coefficients);
  for (size_t k = 0; k < tasks.size(); ++k) sink(tasks[k], sums[k]);
}

std::vector<PointSums> Evaluator::evaluate(std::span<const PlanePosition> points) {
  std::vector<PointSums> sums(points.size());
  size_t next = 0;
  run(
      [&]() -> std::optional<EvaluationTask> {
        if (next == points.size()) return std::nullopt;
        const size_t point = next++;
        return EvaluationTask{.id = static_cast<int64_t>(point), .position = points[point]};
      },
      [&](const EvaluationTask& task, const PointSums& of_point) {
        sums[static_cast<size_t>(task.id)] = of_point;
      },
      [] { return false; });
  return sums;
}

}  // namespace topograd
