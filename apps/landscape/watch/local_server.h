// An HTTP server for browsers on the same machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace topograd {

/// HTTP server on 127.0.0.1, in threads of its own. It answers only requests addressed to localhost
/// or 127.0.0.1, with any port: a foreign page whose name resolves to this machine (DNS rebinding)
/// gets nothing.
class LocalServer {
 public:
  struct Answer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body = {};
    std::string policy = {};  ///< Content-Security-Policy; empty: none
  };
  using Parameters = std::map<std::string, std::string>;
  /// Answers a GET request; an Error becomes status 500 with its message. Called in several threads
  /// at once.
  using Handler = std::function<Answer(const Parameters& parameters)>;

  /// Starts to answer these paths ("/state"); others are not found. Port 0: any free one. Throws
  /// Error if the port is taken.
  LocalServer(int port, const std::map<std::string, Handler>& handlers);
  /// Waits for the answers under way.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  /// Returns "http://127.0.0.1:8642/".
  std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
