// Definitions of stream_core.h; included by it alone.
#ifndef ZRS_SIDECAR_TRANSPORT_STREAM_CORE_INL_H_
#define ZRS_SIDECAR_TRANSPORT_STREAM_CORE_INL_H_

#include "sidecar/transport/stream_core.h"

namespace zrs::transport {

template <typename Out, typename In>
void StreamCore<Out, In>::Start(std::shared_ptr<StreamEvents<In>> events) {
  Lock lock(mutex_);
  assert(events_ == nullptr && "a stream is started once");
  events_ = std::move(events);
  // An accepted stream is open before anybody knows of it.
  if (options_.side == StreamSide::kServer && phase_ == Phase::kOpen) opened_due_ = true;
  Deliver(lock);
}

template <typename Out, typename In>
void StreamCore<Out, In>::Release() {
  std::shared_ptr<StreamEvents<In>> released;
  const Lock lock(mutex_);
  released.swap(events_);
  open_told_ = false;
  StopTimerLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::Write(Out message) {
  const Lock lock(mutex_);
  if (phase_ != Phase::kOpen) return;
  assert(!write_unanswered_ && "Write before the OnWritten of the one before");
  if (write_unanswered_) {
    CancelLocked(absl::InternalError(absl::StrCat(peer_, ": a message was written before the last one was taken")));
    return;
  }
  write_unanswered_ = true;
  out_ = std::move(message);
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::Read() {
  const Lock lock(mutex_);
  if (phase_ != Phase::kOpen) return;
  const bool unanswered = read_wanted_ || reading_ || message_due_;
  assert(!unanswered && "Read before the OnMessage of the one before");
  if (unanswered) return;
  read_wanted_ = true;
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::Close(absl::Status status, std::optional<Out> last) {
  const Lock lock(mutex_);
  CloseLocked(std::move(status), std::move(last));
}

template <typename Out, typename In>
void StreamCore<Out, In>::CloseAfter(absl::Duration delay, absl::Status status, Out last) {
  const Lock lock(mutex_);
  if (phase_ != Phase::kOpen || wire_ == nullptr) return;
  StartTimerLocked(delay, [this, status = std::move(status), last = std::move(last)] { CloseLocked(status, last); });
}

template <typename Out, typename In>
void StreamCore<Out, In>::Cancel(absl::Status why) {
  const Lock lock(mutex_);
  CancelLocked(std::move(why));
}

template <typename Out, typename In>
std::string StreamCore<Out, In>::peer() const {
  const Lock lock(mutex_);
  return peer_;
}

template <typename Out, typename In>
void StreamCore<Out, In>::SetPeer(std::string peer) {
  const Lock lock(mutex_);
  peer_ = std::move(peer);
}

template <typename Out, typename In>
bool StreamCore<Out, In>::Attach(Wire<Out>* wire) {
  const Lock lock(mutex_);
  if (phase_ != Phase::kOpen) return false;
  wire_ = wire;
  wire_->Begin();
  if (options_.side == StreamSide::kServer) {
    open_ = true;
  } else {
    StartTimerLocked(options_.open_timeout, [this] {
      CancelLocked(absl::UnavailableError(absl::StrCat("cannot connect to ", peer_, ": no answer within ",
                                                       absl::FormatDuration(options_.open_timeout))));
    });
  }
  return true;
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireOpen() {
  Lock lock(mutex_);
  open_ = true;
  if (phase_ == Phase::kOpen) {
    StopTimerLocked();
    opened_due_ = true;
  }
  PumpLocked();
  Deliver(lock);
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireWritten(bool ok) {
  Lock lock(mutex_);
  writing_ = false;
  // A write that failed is told by what follows it: the call is over, in order or not.
  if (ok && phase_ == Phase::kOpen) written_due_ = true;
  PumpLocked();
  Deliver(lock);
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireMessage(In message) {
  Lock lock(mutex_);
  reading_ = false;
  // A client that closes reads on, to come to the end of what the server has sent. A call that is over may have ended
  // behind this message, which counts then, or been cancelled here, and then it does not.
  if (phase_ != Phase::kClosing && !local_status_) message_due_ = std::move(message);
  PumpLocked();
  Deliver(lock);
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireMalformed(absl::Status why) {
  const Lock lock(mutex_);
  reading_ = false;
  read_ended_ = true;
  if (options_.side == StreamSide::kServer) {
    CloseLocked(std::move(why), std::nullopt);
  } else {
    CancelLocked(std::move(why));
  }
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireReadEnd() {
  const Lock lock(mutex_);
  reading_ = false;
  read_ended_ = true;
  if (options_.side == StreamSide::kClient) return;  // the server's status follows
  if (phase_ == Phase::kOpen) CloseLocked(absl::OkStatus(), std::nullopt);
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireOver() {
  const Lock lock(mutex_);
  phase_ = Phase::kOver;
  StopTimerLocked();
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireTimer(uint64_t id) {
  const Lock lock(mutex_);
  if (id != timer_id_ || !timer_action_) return;
  std::exchange(timer_action_, nullptr)();
}

template <typename Out, typename In>
void StreamCore<Out, In>::OnWireDone(absl::Status status) {
  Lock lock(mutex_);
  wire_ = nullptr;
  phase_ = Phase::kOver;
  closed_due_ = local_status_.value_or(std::move(status));
  Deliver(lock);
}

template <typename Out, typename In>
void StreamCore<Out, In>::CloseLocked(absl::Status status, std::optional<Out> last) {
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  DropEventsLocked();
  if (last) {
    assert(!write_unanswered_);
    out_ = std::move(last);
  }
  if (!status.ok()) local_status_ = status;
  end_status_ = std::move(status);
  if (wire_ == nullptr) return;
  StartTimerLocked(options_.close_timeout, [this] {
    CancelLocked(absl::DeadlineExceededError(absl::StrCat(peer_, ": the peer did not answer the close within ",
                                                          absl::FormatDuration(options_.close_timeout))));
  });
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::CancelLocked(absl::Status why) {
  if (phase_ == Phase::kOver) return;
  phase_ = Phase::kOver;
  DropEventsLocked();
  if (!local_status_) local_status_ = std::move(why);
  end_status_ = absl::CancelledError("cancelled");
  if (wire_ == nullptr) return;
  StopTimerLocked();
  wire_->Cancel();
  PumpLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::PumpLocked() {
  if (wire_ == nullptr || !open_) return;
  if (phase_ != Phase::kOver && out_ && !writing_) {
    writing_ = true;
    wire_->StartWrite(*std::exchange(out_, std::nullopt));
  }
  if (phase_ == Phase::kOpen && read_wanted_ && !reading_) {
    read_wanted_ = false;
    reading_ = true;
    wire_->StartRead();
  }
  if (phase_ != Phase::kOpen) PumpEndLocked();
}

template <typename Out, typename In>
void StreamCore<Out, In>::PumpEndLocked() {
  const bool client = options_.side == StreamSide::kClient;
  if (!writing_ && !end_sent_ && (phase_ == Phase::kClosing || !client)) {
    end_sent_ = true;
    wire_->EndSending(end_status_);
  }
  // The server's status arrives behind its messages only: a client that closes has to get them out of the way.
  if (client && phase_ == Phase::kClosing && !reading_ && !read_ended_) {
    reading_ = true;
    wire_->StartRead();
  }
}

template <typename Out, typename In>
void StreamCore<Out, In>::StartTimerLocked(absl::Duration delay, std::function<void()> action) {
  StopTimerLocked();
  timer_action_ = std::move(action);
  wire_->StartTimer(delay, timer_id_);
}

template <typename Out, typename In>
void StreamCore<Out, In>::StopTimerLocked() {
  timer_id_++;
  if (timer_action_ && wire_ != nullptr) wire_->StopTimer();
  timer_action_ = nullptr;
}

template <typename Out, typename In>
void StreamCore<Out, In>::DropEventsLocked() {
  opened_due_ = false;
  written_due_ = false;
  message_due_.reset();
}

template <typename Out, typename In>
void StreamCore<Out, In>::Deliver(Lock& lock) {
  if (delivering_) return;
  const std::shared_ptr<StreamCore> self = this->shared_from_this();  // an event may drop the stream
  delivering_ = true;
  while (events_ != nullptr && DeliverOne(lock)) {
  }
  delivering_ = false;
  lock.unlock();
}

template <typename Out, typename In>
bool StreamCore<Out, In>::DeliverOne(Lock& lock) {
  std::shared_ptr<StreamEvents<In>> events = events_;
  if (opened_due_) {
    opened_due_ = false;
    open_told_ = true;
    lock.unlock();
    events->OnOpen();
  } else if (written_due_ && open_told_) {
    written_due_ = false;
    write_unanswered_ = false;
    lock.unlock();
    events->OnWritten();
  } else if (message_due_ && open_told_) {
    In message = *std::exchange(message_due_, std::nullopt);
    lock.unlock();
    events->OnMessage(std::move(message));
  } else if (closed_due_) {
    const absl::Status status = *std::exchange(closed_due_, std::nullopt);
    events_.reset();
    lock.unlock();
    events->OnClosed(status);
  } else {
    return false;
  }
  events.reset();  // perhaps the last reference, and its destructor may call the stream
  lock.lock();
  return true;
}

}  // namespace zrs::transport

#endif  // ZRS_SIDECAR_TRANSPORT_STREAM_CORE_INL_H_
