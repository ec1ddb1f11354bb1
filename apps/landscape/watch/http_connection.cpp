#include "apps/landscape/watch/http_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace topograd {

namespace {

constexpr double kLongestReading = 5;       // seconds, for the whole head
constexpr double kLongestPause = 10;        // seconds, to begin with an answer
constexpr double kSlowestReader = 100'000;  // bytes per second, once it has begun
constexpr double kLongestLingering = 1;     // seconds

/// Returns whether a call failed for good, and not because it would have had to wait.
bool failed(ssize_t count) {
  return count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

/// Empties a text and gives its memory back, which an assignment would keep.
void release(std::string& text) {
  std::string().swap(text);
}

}  // namespace

HttpConnection::HttpConnection(FileDescriptor socket, double now)
    : socket_(std::move(socket)), deadline_(now + kLongestReading) {}

short HttpConnection::events() const {
  if (phase_ == Phase::reading || phase_ == Phase::lingering) return POLLIN;
  return phase_ == Phase::sending ? POLLOUT : 0;
}

void HttpConnection::proceed(short events, double now) {
  if (now >= deadline_ && phase_ == Phase::reading)
    return answer({.status = 408, .body = "the request took too long\n"}, now);
  if (now >= deadline_) return end();
  if (phase_ == Phase::reading && (events & (POLLIN | POLLHUP | POLLERR)) != 0) return read(now);
  if (phase_ == Phase::lingering && events != 0) return throw_away();
  // POLLHUP: both directions are closed. A client that has closed its own alone still reads.
  if ((events & (POLLHUP | POLLERR)) != 0) return end();
  if (phase_ == Phase::sending && (events & POLLOUT) != 0) send(now);
}

void HttpConnection::read(double now) {
  std::array<char, 4096> bytes;
  const size_t room = std::min(bytes.size(), kLongestRequestHead - input_.size());
  const ssize_t count = ::recv(socket(), bytes.data(), room, 0);
  if (count == 0 || failed(count)) return end();
  if (count < 0) return;
  input_.append(bytes.data(), static_cast<size_t>(count));
  auto read = read_request(input_);
  if (!read) return;
  release(input_);
  if (auto* refusal = std::get_if<HttpAnswer>(&*read)) return answer(std::move(*refusal), now);
  request_ = std::get<HttpRequest>(std::move(*read));
  phase_ = Phase::waiting;
  deadline_ = std::numeric_limits<double>::infinity();
}

void HttpConnection::answer(HttpAnswer answer, double now) {
  release(input_);
  head_ = head_of(answer);
  if (!request_.head_only) body_ = std::move(answer.body);
  phase_ = Phase::sending;
  deadline_ = now + kLongestPause + static_cast<double>(body_.size()) / kSlowestReader;
  send(now);
}

void HttpConnection::send(double now) {
  while (sent_ < head_.size() + body_.size()) {
    const bool in_head = sent_ < head_.size();
    const std::string_view rest = in_head ? std::string_view(head_).substr(sent_)
                                          : std::string_view(body_).substr(sent_ - head_.size());
    const ssize_t count = ::send(socket(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (failed(count)) return end();
    if (count < 0) return;
    sent_ += static_cast<size_t>(count);
  }
  linger(now);
}

/// Says that the answer is complete. To close while the client still sends would make its system
/// throw the answer away.
void HttpConnection::linger(double now) {
  release(head_);
  release(body_);
  sent_ = 0;
  if (::shutdown(socket(), SHUT_WR) != 0) return end();
  phase_ = Phase::lingering;
  deadline_ = now + kLongestLingering;
}

void HttpConnection::throw_away() {
  std::array<char, 65536> bytes;
  const ssize_t count = ::recv(socket(), bytes.data(), bytes.size(), 0);
  if (count == 0 || failed(count)) end();
}

void HttpConnection::end() {
  release(input_);
  release(head_);
  release(body_);
  phase_ = Phase::over;
}

}  // namespace topograd
