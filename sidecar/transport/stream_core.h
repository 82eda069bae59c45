// The part of a stream that both ends share: what its user asked for, what the network did, and which call is due next.
#ifndef ZRS_SIDECAR_TRANSPORT_STREAM_CORE_H_
#define ZRS_SIDECAR_TRANSPORT_STREAM_CORE_H_

#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sidecar/transport/message_stream.h"
#include "sidecar/transport/wire.h"

namespace zrs::transport {

enum class StreamSide { kClient, kServer };

struct StreamCoreOptions {
  StreamSide side = StreamSide::kClient;
  absl::Duration open_timeout = absl::Seconds(10);  // of a client: until the server has answered at all
  absl::Duration close_timeout = kCloseTimeout;     // from a Close to the peer's answer
};

// Stands between one MessageStream, which its user drops when they like, and one Wire, which lives until the network
// has let go of it: both refer to the core, the core owns neither. Thread-safe. The wire is called with the mutex held
// and the events without it; events are called by whichever thread brings the first of them, from there on one at a
// time and in order, so a call of Start may itself deliver.
template <typename Out, typename In>
class StreamCore : public std::enable_shared_from_this<StreamCore<Out, In>> {
 public:
  StreamCore(const StreamCoreOptions& options, std::string peer) : options_(options), peer_(std::move(peer)) {}

  // ---- For the stream's user.

  void Start(std::shared_ptr<StreamEvents<In>> events);
  // Stops calling the events of Start, without an OnClosed, so that another Start may follow. Only from within one of
  // them. Also undoes a CloseAfter.
  void Release();
  // A Write before the OnWritten of the one before it is a bug of the caller: asserted, and ends the stream.
  void Write(Out message);
  void Read();
  // Closes after the outstanding write, and after `last` where given (not while a write is outstanding then). A server
  // ends the call with `status`; OnClosed tells it too, unless OK.
  void Close(absl::Status status = absl::OkStatus(), std::optional<Out> last = std::nullopt);
  // The same, unless a Release comes first.
  void CloseAfter(absl::Duration delay, absl::Status status, Out last);
  // OnClosed tells `why`.
  void Cancel(absl::Status why);
  std::string peer() const;

  // ---- For the wire. It calls these without locks of its own.

  // For people, where it was not known at first.
  void SetPeer(std::string peer);
  // False: the stream was closed before and `wire` is not used; OnWireDone is still due.
  bool Attach(Wire<Out>* wire);
  void OnWireOpen();
  void OnWireWritten(bool ok);
  void OnWireMessage(In message);
  // What came was no message.
  void OnWireMalformed(absl::Status why);
  // The peer sends nothing more, or the call is broken.
  void OnWireReadEnd();
  // The call is over, in order or broken: nothing that is started now could succeed. What is outstanding is answered
  // yet.
  void OnWireOver();
  void OnWireTimer(uint64_t id);
  // Last: nothing is outstanding, the wire is about to go. `status` is what the network says.
  void OnWireDone(absl::Status status);

 private:
  enum class Phase {
    kOpen,     // messages pass
    kClosing,  // Close was called: what is outstanding is sent, then the end
    kOver,     // the peer ended it, it broke or was cancelled: only the end is left to be said
  };
  using Lock = std::unique_lock<std::mutex>;

  void CloseLocked(absl::Status status, std::optional<Out> last);
  void CancelLocked(absl::Status why);
  void PumpLocked();
  void PumpEndLocked();
  void StartTimerLocked(absl::Duration delay, std::function<void()> action);
  void StopTimerLocked();
  void DropEventsLocked();
  // Calls the events that are due, unlocking meanwhile, unless another thread is at it.
  void Deliver(Lock& lock);
  bool DeliverOne(Lock& lock);

  const StreamCoreOptions options_;
  mutable std::mutex mutex_;
  // All below are guarded by mutex_.
  std::string peer_;
  Wire<Out>* wire_ = nullptr;
  Phase phase_ = Phase::kOpen;
  std::shared_ptr<StreamEvents<In>> events_;

  bool open_ = false;              // the wire takes reads and writes
  std::optional<Out> out_;         // waits for the wire
  bool write_unanswered_ = false;  // between a Write and its OnWritten
  bool writing_ = false;           // in the wire
  bool read_wanted_ = false;       // a Read that waits for the wire
  bool reading_ = false;           // in the wire
  bool read_ended_ = false;
  bool end_sent_ = false;
  absl::Status end_status_;                   // for EndSending
  std::optional<absl::Status> local_status_;  // why this side ended it: OnClosed tells this and not the network's word
  uint64_t timer_id_ = 0;
  std::function<void()> timer_action_;  // empty: no timer runs; called with the mutex held

  // Events that are due.
  bool delivering_ = false;
  bool opened_due_ = false;
  bool open_told_ = false;
  bool written_due_ = false;
  std::optional<In> message_due_;
  std::optional<absl::Status> closed_due_;
};

// What users hold. Dropping it closes the stream.
template <typename Out, typename In>
class CoreStream final : public MessageStream<Out, In> {
 public:
  using Core = StreamCore<Out, In>;
  // `launch` is called once by Start, after the core has its events: a client's stream connects only then.
  explicit CoreStream(std::shared_ptr<Core> core, std::function<void(std::shared_ptr<Core>)> launch = nullptr)
      : core_(std::move(core)), launch_(std::move(launch)) {}
  ~CoreStream() override { core_->Close(); }
  CoreStream(const CoreStream&) = delete;
  CoreStream& operator=(const CoreStream&) = delete;

  void Start(std::shared_ptr<StreamEvents<In>> events) override {
    const std::shared_ptr<Core> core = core_;  // an event may drop the stream
    const auto launch = std::move(launch_);
    core->Start(std::move(events));
    if (launch) launch(core);
  }
  void Write(Out message) override { core_->Write(std::move(message)); }
  void Read() override { core_->Read(); }
  void Close() override { core_->Close(); }
  void Cancel() override {
    core_->Cancel(absl::CancelledError(absl::StrCat(core_->peer(), ": cancelled on this side")));
  }
  std::string peer() const override { return core_->peer(); }

 private:
  const std::shared_ptr<Core> core_;
  std::function<void(std::shared_ptr<Core>)> launch_;
};

}  // namespace zrs::transport

#include "sidecar/transport/stream_core_inl.h"

#endif  // ZRS_SIDECAR_TRANSPORT_STREAM_CORE_H_
