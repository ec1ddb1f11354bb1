#include "landscape/distributed/messages.h"

#include <cstring>

#include "kernels/core/check.h"

namespace topograd {

namespace {

class Writer {
 public:
  template <class T>
  void value(const T& v) {
    bytes_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void size(size_t n) { value(static_cast<int64_t>(n)); }
  void text(const std::string& t) {
    size(t.size());
    bytes_ += t;
  }
  std::string bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  T value() {
    T v;
    std::memcpy(&v, take(sizeof v), sizeof v);
    return v;
  }
  size_t size() { return static_cast<size_t>(value<int64_t>()); }
  std::string text() {
    const size_t n = size();
    return {take(n), n};
  }

 private:
  const char* take(size_t n) {
    require(n <= bytes_.size() - at_, "a message between ranks is cut short");
    at_ += n;
    return bytes_.data() + at_ - n;
  }
  const std::string& bytes_;
  size_t at_ = 0;
};

}  // namespace

std::string packed(const RankMessage& message) {
  Writer out;
  out.value(message.kind);
  out.value(message.count);
  out.size(message.points.size());
  for (const GridPoint& point : message.points) out.value(point);
  out.value(message.point);
  out.size(message.planes.size());
  for (const PointSums& sets : message.planes) {
    out.size(sets.size());
    for (const auto& losses : sets) {
      out.size(losses.size());
      for (const LossSums& sums : losses) out.value(sums);
    }
  }
  out.text(message.error);
  return out.bytes();
}

RankMessage unpacked(const std::string& bytes) {
  Reader in(bytes);
  RankMessage message;
  message.kind = in.value<RankMessageKind>();
  message.count = in.value<int64_t>();
  for (size_t n = in.size(); n > 0; --n) message.points.push_back(in.value<GridPoint>());
  message.point = in.value<int64_t>();
  for (size_t planes = in.size(); planes > 0; --planes) {
    PointSums& sets = message.planes.emplace_back();
    for (size_t n = in.size(); n > 0; --n) {
      std::vector<LossSums>& losses = sets.emplace_back();
      for (size_t m = in.size(); m > 0; --m) losses.push_back(in.value<LossSums>());
    }
  }
  message.error = in.text();
  return message;
}

}  // namespace topograd
