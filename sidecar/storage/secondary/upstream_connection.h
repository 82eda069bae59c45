// A secondary's stream to its upstream together with the session that follows it: performs the session's effects.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CONNECTION_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand.
class UpstreamConnection : public std::enable_shared_from_this<UpstreamConnection> {
 public:
  // What the owner does and is told. Each wish of the session is answered by the function of like name; `closed` comes
  // exactly once, last, and not before all that is outstanding was answered.
  struct Hooks {
    std::function<void(replication::WriteGroup)> write;
    std::function<void(replication::CreateCopy)> create;
    std::function<void(replication::AdoptLineage)> adopt;      // answered by OnCreated
    std::function<void(replication::PrepareRebuild)> prepare;  // answered by OnCreated
    std::function<void(replication::ProveRebuild)> prove;
    std::function<void(replication::SwapCopy)> swap;
    std::function<void()> changed;  // after each event: the session may have moved
    std::function<void(const absl::Status&)> closed;
  };

  // `keep_alive`: the longest time without a message to the upstream, once it has welcomed us.
  UpstreamConnection(runtime::Runtime& runtime, replication::FollowerOptions options, replication::Copy copy,
                     absl::Duration keep_alive, std::shared_ptr<transport::FollowerStream> stream, Hooks hooks);

  void Start();
  void OnWritten(const absl::Status& status);
  void OnCreated(const absl::Status& status);
  void OnProved(absl::StatusOr<replication::RebuildProof> proof);
  void OnSwapped(const absl::Status& status);
  // Ends the stream in order; where the peer does not close within `grace` it is torn down. `closed` follows.
  void Stop(absl::Duration grace);

  // As Stop, and tells the peer of another primary, as the session's OnRival. False, and nothing is done, while the
  // stream is not open.
  bool TellRival(uint64_t generation, const std::string& message, absl::Duration grace);

  // Tears the stream down. What has arrived is still written; `closed` follows.
  void HangUp();

  const replication::FollowerSession& session() const { return session_; }
  bool open() const { return open_; }
  // The session or its stream has ended; `closed` waits for what is outstanding.
  bool over() const { return stream_closed_ || session_.end().has_value(); }
  // Whether the peer's process was there: the stream was open once.
  bool reached() const { return reached_; }
  // When anything was heard of the peer, or it was not waited for any more, last: by Runtime::Now.
  absl::Duration heard() const { return heard_; }
  // On the open stream nothing new was heard for long, of the upstream or by it, while nothing was to be done here.
  bool silent() const;

 private:
  class Events;
  void Perform(replication::FollowerEffects effects);
  void OnOpen();
  void OnTaken();
  void OnStreamMessage(v1::PublisherMessage message);
  void OnStreamClosed(absl::Status status);
  void ScheduleKeepAlive();
  // An upstream that has welcomed us says something in each of its primary's intervals, a secondary from the first
  // heartbeat on that it has heard itself. Where it does not, whatever it is that holds the stream up (bytes that were
  // damaged on the way make HTTP/2 wait for others, while those that come keep the connection alive), another one may
  // do. It takes what it is told, too.
  void WatchSilence();
  void GiveUp(absl::string_view why, absl::Duration since);
  // Before the stream is given up; infinite where the upstream owes no word.
  absl::Duration LongestSilence() const;
  // How long ago that was; zero while something is to be done here.
  absl::Duration SinceIdle(absl::Duration time) const;
  // A secondary that hears of no primary says the last heartbeat again.
  bool IsRepeated(const v1::PublisherMessage& message) const;
  template <typename Wish>
  void Ask(const std::function<void(Wish)>& hook, Wish wish) {
    ++outstanding_;
    hook(std::move(wish));
  }
  // Something that was outstanding is answered, with these effects.
  void Answer(replication::FollowerEffects effects);
  void CloseStream();
  // From here on the stream has its grace.
  void LimitEnding();
  void FinishIfPossible();

  runtime::Runtime& runtime_;
  replication::FollowerSession session_;
  std::shared_ptr<transport::FollowerStream> stream_;
  Hooks hooks_;
  bool open_ = false;
  bool reached_ = false;
  bool stream_closed_ = false;
  bool finished_ = false;
  int outstanding_ = 0;  // what the owner has not answered yet
  int performing_ = 0;   // effects, one lot within another
  absl::Status close_status_;
  std::string gave_up_;  // why; empty: the stream ended otherwise
  absl::Duration close_grace_;
  std::unique_ptr<runtime::Timer> cancel_timer_;
  const absl::Duration keep_alive_;
  absl::Duration heard_;  // when the stream opened, a message came, or what it asked for was done, by Runtime::Now
  absl::Duration news_;   // the same, but for a heartbeat that was repeated
  absl::Duration sent_;   // when the last message was given to the stream, by Runtime::Now
  std::optional<absl::Duration> untaken_since_;  // when the message was given to the stream that it has not taken
  std::unique_ptr<runtime::Timer> keep_alive_timer_;
  std::unique_ptr<runtime::Timer> silence_timer_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_CONNECTION_H_
