// A server for browsers on the same machine, of whose users only those are answered who know its
// address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "apps/landscape/watch/http_message.h"

namespace topograd {

/// HTTP server on 127.0.0.1, in threads of its own, for what is only read. Every path begins with a
/// token of 128 random bits: other accounts of the machine connect, and learn nothing. Only
/// requests addressed to localhost or 127.0.0.1, with any port, are answered: a foreign page whose
/// name resolves to this machine (DNS rebinding) gets nothing.
///
/// What clients can make it hold is bounded: kMostConnections connections, each with the head of
/// one request (read_request), and kMostAnswers answers. When there are too many, the oldest that
/// has not asked for anything is closed for a new one, so that slow clients block nobody.
class LocalServer {
 public:
  static constexpr size_t kMostConnections = 64;
  static constexpr size_t kMostAnswers = 8;  ///< under way at a time; other requests wait

  /// Answers a request; an Error becomes status 500 with its message. Called in several threads at
  /// once.
  using Handler = std::function<HttpAnswer(const HttpRequest::Parameters& parameters)>;

  /// Starts to answer these paths ("state", "" for the address itself); others are not found. Port
  /// 0: any free one. Throws Error if the port is taken.
  LocalServer(int port, const std::map<std::string, Handler>& handlers);
  /// Waits for the answers under way, and a moment for those who read them.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  /// Returns "http://127.0.0.1:8642/1f...c4/".
  std::string url() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
