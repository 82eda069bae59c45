// A secondary's stream to its upstream together with the session that follows it: performs the session's effects.
#ifndef ZRS_SIDECAR_STORAGE_UPSTREAM_CONNECTION_H_
#define ZRS_SIDECAR_STORAGE_UPSTREAM_CONNECTION_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand.
class UpstreamConnection : public std::enable_shared_from_this<UpstreamConnection> {
 public:
  // What the owner does and is told. `write` and `create` are asked for one at a time; the owner answers by OnWritten
  // and OnCreated. `closed` comes exactly once, last, and not before an outstanding write or creation was answered.
  struct Hooks {
    std::function<void(replication::WriteGroup)> write;
    std::function<void(replication::CreateCopy)> create;
    std::function<void()> changed;  // after each event: the session may have moved
    std::function<void(const absl::Status&)> closed;
  };

  // `keep_alive`: the longest time without a message to the upstream, once it has welcomed us.
  UpstreamConnection(runtime::Runtime& runtime, replication::FollowerOptions options, replication::Copy copy,
                     absl::Duration keep_alive, std::shared_ptr<transport::FollowerStream> stream, Hooks hooks);

  void Start();
  void OnWritten(const absl::Status& status);
  void OnCreated(const absl::Status& status);
  // Ends the stream in order; where the peer does not close in time it is torn down. `closed` follows.
  void Stop();

  const replication::FollowerSession& session() const { return session_; }
  bool open() const { return open_; }

 private:
  class Events;
  void Perform(replication::FollowerEffects effects);
  void OnOpen();
  void OnStreamMessage(v1::PublisherMessage message);
  void OnStreamClosed(absl::Status status);
  void ScheduleKeepAlive();
  void CloseStream();
  void FinishIfPossible();

  runtime::Runtime& runtime_;
  replication::FollowerSession session_;
  std::shared_ptr<transport::FollowerStream> stream_;
  Hooks hooks_;
  bool open_ = false;
  bool stream_closed_ = false;
  bool finished_ = false;
  int outstanding_ = 0;  // writes and creations under way
  absl::Status close_status_;
  std::unique_ptr<runtime::Timer> cancel_timer_;
  const absl::Duration keep_alive_;
  absl::Duration sent_;  // when the last message was given to the stream, by Runtime::Now
  std::unique_ptr<runtime::Timer> keep_alive_timer_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_UPSTREAM_CONNECTION_H_
