// One connection of a browser to the server: a request, its answer, the end.
#pragma once

#include <poll.h>

#include <string>

#include "apps/landscape/watch/http_message.h"
#include "kernels/core/file_descriptor.h"

namespace topograd {

/// Connection that never waits for its client: each call does what is possible at once. It keeps at
/// most kLongestRequestHead bytes of what the client sends, and every phase that the client could
/// prolong has an end in time. Times are seconds of one steady clock.
class HttpConnection {
 public:
  enum class Phase {
    reading,    ///< the request's head is not complete
    waiting,    ///< request() is there, and wants an answer
    sending,    ///< the client has not taken all of the answer
    lingering,  ///< what the client still sends is thrown away, for it to read the answer first
    over,       ///< nothing more will happen
  };

  /// Takes a socket that does not block.
  HttpConnection(FileDescriptor socket, double now);

  Phase phase() const { return phase_; }
  const HttpRequest& request() const { return request_; }
  int socket() const { return socket_.number(); }
  /// Returns what poll(2) is to wait for.
  short events() const;
  /// Returns when the phase has lasted too long; infinity if that is not for the client to decide.
  double deadline() const { return deadline_; }

  /// Does what `events` of poll(2), or the time, make possible.
  void proceed(short events, double now);
  /// Begins to send the answer to the request.
  void answer(HttpAnswer answer, double now);

 private:
  void read(double now);
  void send(double now);
  void linger(double now);
  void throw_away();
  void end();

  FileDescriptor socket_;
  Phase phase_ = Phase::reading;
  double deadline_;
  std::string input_;  // the request's head, as far as it is there
  HttpRequest request_;
  std::string head_, body_;  // of the answer
  size_t sent_ = 0;          // bytes of both
};

}  // namespace topograd
