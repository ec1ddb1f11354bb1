#include "apps/landscape/watch/local_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "apps/landscape/watch/http_connection.h"
#include "apps/landscape/watch/watch_progress.h"
#include "kernels/core/check.h"
#include "kernels/core/file_descriptor.h"

namespace topograd {

namespace {

using Phase = HttpConnection::Phase;

constexpr const char* kHost = "127.0.0.1";
constexpr int kWorkers = 4;             // a report takes long: figures and the state must not wait
constexpr int kSocketBuffer = 65536;    // bytes that the system keeps for a connection, each way
constexpr double kPause = 0.1;          // seconds, where the system has no descriptor left
constexpr double kLongestFarewell = 2;  // seconds for those who read answers when all ends

/// Returns whether a request is addressed to this machine: "localhost:8642" is, "evil.example:8642"
/// is not. Any port will do: a tunnel has its own.
bool is_addressed_here(std::string_view host) {
  const size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  const std::string_view port = colon == host.npos ? "" : host.substr(colon + 1);
  return (name == "localhost" || name == kHost) &&
         port.find_first_not_of("0123456789") == port.npos;
}

std::string random_token() {
  std::array<unsigned char, 16> bytes;
  require(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
          "the system has no random numbers for --serve");
  std::string token;
  for (const unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte / 16];
    token += "0123456789abcdef"[byte % 16];
  }
  return token;
}

/// Returns whether two texts are the same, in a time that does not tell where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

/// Returns a socket that listens on the port of this machine alone.
FileDescriptor listening_socket(int port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // SO_REUSEADDR: the port is free as soon as its last user has ended, and taken while it has one.
  const int yes = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // Connections inherit these; the system's own limits are some megabytes for each.
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound =
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(socket.number(), static_cast<int>(LocalServer::kMostConnections)) == 0;
  require(bound, "port ", port, " of ", kHost,
          " is taken, or not this account's to use: choose another, or 0 for any free one");
  return socket;
}

int port_of(const FileDescriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail_with_errno();
  return ntohs(address.sin_port);
}

}  // namespace

/// One thread has all connections and never waits for a single one; kWorkers threads run handlers.
class LocalServer::State {
 public:
  State(int port, const std::map<std::string, Handler>& handlers)
      : handlers_(handlers),
        listener_(listening_socket(port)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        url_(text("http://", kHost, ":", port_of(listener_), "/", token_, "/")) {
    try {
      threads_.emplace_back([this] { run(); });
      while (threads_.size() <= kWorkers) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      end();
      fail("the threads of --serve cannot be started (", error.code().message(),
           "): end other programs, or leave out --serve");
    }
  }
  ~State() { end(); }

  const std::string& url() const { return url_; }

 private:
  struct Client {
    uint64_t number;
    HttpConnection connection;
    bool admitted = false;  // its request was given to the workers
  };
  struct Job {
    uint64_t client;
    const Handler* handler;
    HttpRequest::Parameters parameters;
  };
  struct Made {
    uint64_t client;
    HttpAnswer answer;
  };

  /// Runs the connections' thread.
  void run() {
    while (!over()) {
      const std::vector<short> events = wait();
      const double now = steady_seconds();
      // Serve open connections before accepting new ones: at the limit accept() closes the oldest
      // one without a request, and a request that has just arrived must be seen first.
      auto event = events.begin();
      for (Client& client : clients_) client.connection.proceed(*event++, now);
      deliver(now);
      admit(now);
      accept(now);
      clients_.remove_if([](const Client& c) { return c.connection.phase() == Phase::over; });
    }
  }

  /// Returns whether the server is to end and nobody waits for an answer, or not for much longer.
  bool over() {
    if (!ending_) return false;
    const double now = steady_seconds();
    if (!farewell_) farewell_ = now + kLongestFarewell;
    clients_.remove_if([](const Client& c) {
      return c.connection.phase() == Phase::reading || c.connection.phase() == Phase::lingering;
    });
    return clients_.empty() || now >= *farewell_;
  }

  /// Waits until a socket is ready or a time limit passes. Returns each client's events.
  std::vector<short> wait() {
    double due = ending_ ? steady_seconds() + kPause : accept_after_;
    std::vector<pollfd> asked = {{wake_.number(), POLLIN, 0}};
    const bool accepts = !ending_ && accept_after_ == kNever && has_room();
    asked.push_back({accepts ? listener_.number() : -1, POLLIN, 0});
    for (const Client& client : clients_) {
      asked.push_back({client.connection.socket(), client.connection.events(), 0});
      due = std::min(due, client.connection.deadline());
    }
    const double left = std::clamp(due - steady_seconds(), 0.0, 60.0);
    const int milliseconds = static_cast<int>(std::ceil(1000 * left));
    std::vector<short> events(clients_.size());
    accept_due_ = false;
    if (::poll(asked.data(), asked.size(), milliseconds) <= 0) return events;
    uint64_t count;
    if (asked[0].revents != 0 && ::read(wake_.number(), &count, sizeof count) < 0) count = 0;
    accept_due_ = asked[1].revents != 0;
    for (size_t i = 0; i < events.size(); ++i) events[i] = asked[i + 2].revents;
    return events;
  }

  /// Returns whether another client can be accepted, if need be in an idle one's place.
  bool has_room() const {
    return clients_.size() < kMostConnections ||
           std::any_of(clients_.begin(), clients_.end(), gives_way);
  }

  static bool gives_way(const Client& client) {
    const Phase phase = client.connection.phase();
    return phase == Phase::reading || phase == Phase::lingering || phase == Phase::over;
  }

  void accept(double now) {
    if (now >= accept_after_) accept_after_ = kNever;
    if (!accept_due_ || !has_room()) return;
    const int number =
        ::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const bool scarce =
        number < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
    // Close the oldest connection that has sent no request: idle ones must not keep others out.
    if (scarce || (number >= 0 && clients_.size() >= kMostConnections)) {
      const auto oldest = std::find_if(clients_.begin(), clients_.end(), gives_way);
      if (oldest != clients_.end())
        clients_.erase(oldest);
      else
        accept_after_ = now + kPause;
    }
    if (number < 0) return;
    clients_.push_back({next_number_++, HttpConnection(FileDescriptor(number), now)});
    // Read at once: the request has mostly come with the connection, which is then not closed as an
    // idle one.
    clients_.back().connection.proceed(POLLIN, now);
    admit(now);
  }

  /// Refuses requests, or lets them wait for their answers, which are not too many at a time.
  void admit(double now) {
    size_t admitted = jobs_under_way_;
    for (const Client& client : clients_)
      admitted += client.admitted && client.connection.phase() == Phase::sending;
    for (Client& client : clients_) {
      if (client.connection.phase() != Phase::waiting || client.admitted) continue;
      const HttpRequest& request = client.connection.request();
      if (auto refusal = refusal_of(request)) {
        client.connection.answer(std::move(*refusal), now);
      } else if (admitted < kMostAnswers) {
        ++admitted;
        ++jobs_under_way_;
        client.admitted = true;
        begin({client.number, &handlers_.at(name_in(request)), request.parameters});
      }
    }
  }

  /// Returns the answer to a request that no handler may see or knows.
  std::optional<HttpAnswer> refusal_of(const HttpRequest& request) const {
    if (!is_addressed_here(request.host))
      return failure(403, text("this server answers requests to localhost and ", kHost, " only"));
    const size_t end = std::min(request.path.find('/', 1), request.path.size());
    if (!same_secret(std::string_view(request.path).substr(1, end - 1), token_))
      return failure(403,
                     "open the address that landscape watch has printed, with all its letters");
    if (end == request.path.size())
      return HttpAnswer{.status = 308, .location = text("/", token_, "/")};
    if (handlers_.count(name_in(request)) == 0)
      return failure(404, "there is nothing at this address");
    return std::nullopt;
  }

  /// Returns "state", the name of a handler, from the path "/1f...c4/state".
  std::string name_in(const HttpRequest& request) const {
    return request.path.substr(std::min(token_.size() + 2, request.path.size()));
  }

  static HttpAnswer failure(int status, const std::string& why) {
    return {.status = status, .body = why + "\n"};
  }

  void begin(Job job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    job_there_.notify_one();
  }

  /// Gives the answers that the workers have made to those who still want them.
  void deliver(double now) {
    std::vector<Made> made;
    {
      const std::lock_guard lock(mutex_);
      made.swap(made_);
    }
    jobs_under_way_ -= made.size();
    for (Made& one : made)
      for (Client& client : clients_)
        if (client.number == one.client && client.connection.phase() == Phase::waiting)
          client.connection.answer(std::move(one.answer), now);
  }

  /// Runs a worker's thread.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      job_there_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      HttpAnswer answer;
      try {
        answer = (*job.handler)(job.parameters);
      } catch (const std::exception& error) {
        answer = failure(500, error.what());
      }
      lock.lock();
      made_.push_back({job.client, std::move(answer)});
      wake();
    }
  }

  void wake() const {
    const uint64_t one = 1;
    // A write fails only while the counter is full: the thread is awake then.
    if (::write(wake_.number(), &one, sizeof one) < 0) return;
  }

  /// Ends the threads that were started.
  void end() {
    ending_ = true;
    wake();
    if (!threads_.empty()) threads_.front().join();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    job_there_.notify_all();
    for (size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
  }

  static constexpr double kNever = std::numeric_limits<double>::infinity();

  const std::map<std::string, Handler> handlers_;
  const std::string token_ = random_token();
  FileDescriptor listener_;
  FileDescriptor wake_;  // ends the wait of the connections' thread
  const std::string url_;

  // Used by the connections' thread alone.
  std::list<Client> clients_;  // the oldest first
  uint64_t next_number_ = 0;
  size_t jobs_under_way_ = 0;     // also of clients who are gone
  double accept_after_ = kNever;  // never: accept whenever somebody comes
  bool accept_due_ = false;
  std::optional<double> farewell_;

  std::atomic<bool> ending_ = false;
  std::mutex mutex_;  // jobs_, made_, stopping_
  std::condition_variable job_there_;
  std::deque<Job> jobs_;
  std::vector<Made> made_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // the connections' first
};

LocalServer::LocalServer(int port, const std::map<std::string, Handler>& handlers)
    : state_(std::make_unique<State>(port, handlers)) {}

LocalServer::~LocalServer() = default;

std::string LocalServer::url() const {
  return state_->url();
}

}  // namespace topograd
