#include "nn/network_plan.h"

#include <algorithm>
#include <map>

namespace topograd {

NetworkPlan::NetworkPlan(const Graph& graph) : graph_(graph), readers_(graph.reader_counts()) {
  find_shared_parameters();
  find_phases();
  find_kept();
  find_recomputed();
  assign_values();
  find_fused();
  assign_gradients();
}

/// The backward pass comes to the last of the nodes that share parameters first.
void NetworkPlan::find_shared_parameters() {
  std::vector<bool> written(graph_.layout().parameters().size(), false);
  adds_to_parameters_.assign(graph_.nodes().size(), false);
  for (int i = static_cast<int>(graph_.nodes().size()) - 1; i >= 1; --i)
    for (int64_t parameter : graph_.nodes()[at(i)].parameters) {
      if (written[at(parameter)]) adds_to_parameters_[at(i)] = true;
      written[at(parameter)] = true;
    }
}

void NetworkPlan::find_phases() {
  const std::vector<Node>& nodes = graph_.nodes();
  const int count = static_cast<int>(nodes.size());
  phase_of_.assign(nodes.size(), -1);  // the input's: before all others
  phases_.push_back({1, 1, false});
  for (int i = 1; i < count; ++i) {
    if (nodes[at(i)].layer->as_batchnorm()) phases_.push_back({i, i, true});
    phases_.back().end = i + 1;
    phase_of_[at(i)] = static_cast<int>(phases_.size()) - 1;
  }
}

void NetworkPlan::find_kept() {
  const std::vector<Node>& nodes = graph_.nodes();
  kept_.assign(nodes.size(), false);
  kept_[0] = kept_[at(graph_.output())] = true;
  for (size_t i = 1; i < nodes.size(); ++i)
    for (int input : nodes[i].inputs)
      if (phase_of_[at(input)] != phase_of_[i]) kept_[at(input)] = true;
}

void NetworkPlan::find_recomputed() {
  const std::vector<Node>& nodes = graph_.nodes();
  recomputed_.assign(nodes.size(), false);
  const auto need = [&](int node) {
    if (!kept_[at(node)]) recomputed_[at(node)] = true;
  };
  for (int i = static_cast<int>(nodes.size()) - 1; i >= 1; --i) {
    const Node& node = nodes[at(i)];
    if (node.layer->backward_reads_output()) need(i);
    if (node.layer->backward_reads_input() || recomputed_[at(i)])
      for (int input : node.inputs) need(input);
  }
}

/// Whether a node may write over its first input: no other node reads that, and neither backward
/// pass needs it.
bool NetworkPlan::overwrites_input(int index) const {
  const Node& node = graph_.nodes()[at(index)];
  const int input = node.inputs[0];
  const Node& producer = graph_.nodes()[at(input)];
  return node.layer->works_in_place() && !node.layer->backward_reads_input() && input != 0 &&
         readers_[at(input)] == 1 && producer.shape == node.shape &&
         !producer.layer->backward_reads_output() && !kept_[at(input)] &&
         (!kept_[at(index)] || !recomputed_[at(input)]);
}

void NetworkPlan::assign_values() {
  const std::vector<Node>& nodes = graph_.nodes();
  values_.resize(nodes.size());
  // Walk from the last node to the first: a chain that works in place ends where its last node
  // lies.
  std::vector<int> owner(nodes.size());
  for (size_t i = nodes.size() - 1; i >= 1; --i) {
    if (owner[i] == 0) owner[i] = static_cast<int>(i);
    if (overwrites_input(static_cast<int>(i))) owner[at(nodes[i].inputs[0])] = owner[i];
  }
  for (const Phase& phase : phases_) {
    int64_t used = 0;
    for (int i = phase.begin; i < phase.end; ++i) {
      if (owner[at(i)] != i) continue;
      const int64_t size = nodes[at(i)].shape.size();
      if (kept_[at(i)]) {
        values_[at(i)] = {BufferSlot::Kind::batch, static_cast<int64_t>(batch_buffers_.size())};
        batch_buffers_.push_back(size);
      } else {
        values_[at(i)] = {BufferSlot::Kind::scratch, used};
        used += size;
      }
    }
    scratch_values_ = std::max(scratch_values_, used);
  }
  for (size_t i = 1; i < nodes.size(); ++i) values_[i] = values_[at(owner[i])];
}

void NetworkPlan::find_fused() {
  const std::vector<Node>& nodes = graph_.nodes();
  fuses_relu_.assign(nodes.size(), false);
  fused_into_batchnorm_.assign(nodes.size(), false);
  for (size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].layer->fusion_role() != FusionRole::relu) continue;
    const int input = nodes[i].inputs[0];
    fused_into_batchnorm_[i] =
        overwrites_input(static_cast<int>(i)) && nodes[at(input)].layer->as_batchnorm();
    if (fused_into_batchnorm_[i]) fuses_relu_[at(input)] = true;
  }
}

int NetworkPlan::backward_phase(int node) const {
  const bool norm = graph_.nodes()[at(node)].layer->as_batchnorm() != nullptr;
  return phase_of_[at(node)] - (norm ? 1 : 0);
}

namespace {

/// Hands out memory for gradients and takes it back.
class Pool {
 public:
  /// Returns a piece of that size that was given back, or -1. Within a phase, pieces are handed out
  /// again for images of the same size only, so that a chunk's rows stay its own.
  int64_t reuse(int64_t size) {
    std::vector<int64_t>& list = free_[size];
    if (list.empty()) return -1;
    const int64_t index = list.back();
    list.pop_back();
    return index;
  }
  void give_back(int64_t size, int64_t index) { free_[size].push_back(index); }
  /// Removes and returns all pieces that lie free.
  std::vector<int64_t> take_all() {
    std::vector<int64_t> all;
    for (const auto& [size, list] : free_) all.insert(all.end(), list.begin(), list.end());
    free_.clear();
    return all;
  }

 private:
  std::map<int64_t, std::vector<int64_t>> free_;
};

/// Removes from the list and returns the smallest buffer that holds `size` elements, or the
/// largest, which then has to grow; -1 where the list is empty.
int64_t take_best(std::vector<int64_t>& list, const std::vector<int64_t>& buffers, int64_t size) {
  if (list.empty()) return -1;
  const auto capacity = [&](int64_t index) { return buffers[static_cast<size_t>(index)]; };
  const auto better = [&](int64_t a, int64_t b) {
    const bool a_holds = capacity(a) >= size, b_holds = capacity(b) >= size;
    if (a_holds != b_holds) return a_holds;
    return a_holds ? capacity(a) < capacity(b) : capacity(a) > capacity(b);
  };
  const auto best = std::min_element(list.begin(), list.end(), better);
  const int64_t index = *best;
  list.erase(best);
  return index;
}

}  // namespace

/// Walks the backward pass once: the first gradient to reach a value overwrites, later ones add up;
/// memory goes back to its pool when its node is done, or on to the input of a layer that works in
/// place.
void NetworkPlan::assign_gradients() {
  const std::vector<Node>& nodes = graph_.nodes();
  gradients_.resize(nodes.size());
  writes_.resize(nodes.size());
  std::vector<bool> for_batch(nodes.size(), false);
  for (size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].layer->as_batchnorm()) for_batch[i] = true;  // its sums come a phase before its dx
    for (int input : nodes[i].inputs)
      if (input != 0 && backward_phase(static_cast<int>(i)) != backward_phase(input))
        for_batch[at(input)] = true;
  }
  Pool batch, scratch;
  std::vector<int64_t> settled;  // buffers that lie free since an earlier phase: for any size
  int64_t used = 0;
  const auto allocate = [&](int node) {
    const int64_t size = nodes[at(node)].shape.size();
    const bool kept = for_batch[at(node)];
    int64_t index = (kept ? batch : scratch).reuse(size);
    if (index < 0 && kept) index = take_best(settled, batch_buffers_, size);
    if (index >= 0 && kept) batch_buffers_[at(index)] = std::max(batch_buffers_[at(index)], size);
    if (index < 0 && kept) {
      index = static_cast<int64_t>(batch_buffers_.size());
      batch_buffers_.push_back(size);
    } else if (index < 0) {
      index = scratch_values_ + used;
      used += size;
      scratch_gradients_ = std::max(scratch_gradients_, used);
    }
    return BufferSlot{kept ? BufferSlot::Kind::batch : BufferSlot::Kind::scratch, index};
  };
  int phase = static_cast<int>(phases_.size()) - 1;
  gradients_[at(graph_.output())] = allocate(graph_.output());
  for (int i = static_cast<int>(nodes.size()) - 1; i >= 1; --i) {
    const Node& node = nodes[at(i)];
    if (backward_phase(i) != phase) {
      phase = backward_phase(i);
      const std::vector<int64_t> free = batch.take_all();
      settled.insert(settled.end(), free.begin(), free.end());
      scratch.take_all();
      used = 0;
    }
    if (gradients_[at(i)].kind == BufferSlot::Kind::none) gradients_[at(i)] = allocate(i);
    bool handed_on = false;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const int input = node.inputs[k];
      const bool first = input != 0 && gradients_[at(input)].kind == BufferSlot::Kind::none;
      writes_[at(i)].push_back(input == 0 || first ? Write::overwrite : Write::accumulate);
      if (!first) continue;
      const bool hand_on =
          k == 0 && node.layer->works_in_place() && for_batch[at(i)] == for_batch[at(input)];
      gradients_[at(input)] = hand_on ? gradients_[at(i)] : allocate(input);
      handed_on = handed_on || hand_on;
    }
    if (handed_on) continue;
    Pool& pool = for_batch[at(i)] ? batch : scratch;
    pool.give_back(node.shape.size(), gradients_[at(i)].index);
  }
}

}  // namespace topograd
