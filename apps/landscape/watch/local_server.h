// A server of HTTP for browsers on the same machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace topograd {

/// Listens on 127.0.0.1 alone, and answers only requests that are addressed to localhost or
/// 127.0.0.1, whatever the port: a page from elsewhere whose name leads here (DNS rebinding) gets
/// nothing. In threads of its own.
class LocalServer {
 public:
  struct Answer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body = {};
    std::string policy = {};  ///< Content-Security-Policy; empty: none
  };
  /// Of GET; an Error becomes status 500 with its message. Called in several threads at once.
  using Parameters = std::map<std::string, std::string>;
  using Handler = std::function<Answer(const Parameters& parameters)>;

  /// Answers paths ("/state") from now on; others are not found. Port 0: any free one. An Error
  /// where the port is taken.
  LocalServer(int port, const std::map<std::string, Handler>& handlers);
  /// Waits for the answers under way.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  /// "http://127.0.0.1:8642/"
  std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace topograd
