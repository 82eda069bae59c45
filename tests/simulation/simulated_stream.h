// One side of a simulated stream. Part of simulated_network.h; tests use that.
#ifndef ZRS_TESTS_SIMULATION_SIMULATED_STREAM_H_
#define ZRS_TESTS_SIMULATION_SIMULATED_STREAM_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sidecar/transport/message_stream.h"
#include "tests/simulation/simulated_network.h"

namespace zrs::simulation {

inline void Observe(NetworkObserver& observer, const std::string& node, const std::string& /*peer*/,
                    const v1::PublisherMessage& message) {
  observer.OnPublisherSends(node, message);
}
inline void Observe(NetworkObserver& observer, const std::string& node, const std::string& peer,
                    const v1::FollowerMessage& message) {
  observer.OnFollowerSends(node, peer, message);
}
inline void ObserveReceived(NetworkObserver& observer, const std::string& node, const std::string& peer, bool look,
                            const v1::PublisherMessage& message) {
  observer.OnFollowerReceives(node, peer, look, message);
}
inline void ObserveReceived(NetworkObserver& /*observer*/, const std::string& /*node*/, const std::string& /*peer*/,
                            bool /*look*/, const v1::FollowerMessage& /*message*/) {}

// As far as received, for NetworkOptions::acknowledge_early.
inline void NoteReceived(const v1::PublisherMessage& message, uint64_t& received) {
  if (message.has_batch()) received = message.batch().offset() + message.batch().data().size();
}
inline void NoteReceived(const v1::FollowerMessage& /*message*/, uint64_t& /*received*/) {}
inline void AcknowledgeEarly(v1::FollowerMessage& message, uint64_t received) {
  if (message.has_acknowledge() && received > 0) message.mutable_acknowledge()->set_durable_offset(received);
}
inline void AcknowledgeEarly(v1::PublisherMessage& /*message*/, uint64_t /*received*/) {}

// The hello of a stream that only looks; null: it does not.
inline const v1::Hello* LookOf(const v1::FollowerMessage& message) {
  return message.has_hello() && message.hello().look() ? &message.hello() : nullptr;
}
inline const v1::Hello* LookOf(const v1::PublisherMessage& /*message*/) { return nullptr; }

// For NetworkOptions::count_received, ignore_generations and ask_nobody.
inline void Falsify(const NetworkOptions& options, const v1::Hello& /*look*/, v1::FollowerMessage& message) {
  if (!options.count_received || !message.has_acknowledge()) return;
  v1::Acknowledge& acknowledge = *message.mutable_acknowledge();
  acknowledge.set_durable_offset(std::max(acknowledge.durable_offset(), acknowledge.received_offset()));
}
inline void Falsify(const NetworkOptions& options, const v1::Hello& look, v1::PublisherMessage& message) {
  if (options.ask_nobody && message.has_end()) message.mutable_end()->clear_takes_identity();
  if (!options.ignore_generations || !look.look() || !message.has_welcome()) return;
  const auto& own = look.lineage().epochs();
  for (v1::Epoch& epoch : *message.mutable_welcome()->mutable_lineage()->mutable_epochs()) {
    epoch.set_generation(own.empty() ? 1 : own.rbegin()->generation());
  }
}

// For NetworkOptions::ignore_databases: each side is told that the other is of its own database, and of its epoch.
inline void FalsifyDatabase(SimulatedNetwork& network, const std::string& node, v1::Hello& /*said*/,
                            v1::FollowerMessage& message) {
  if (!network.options().ignore_databases || !message.has_hello() || message.hello().inspect()) return;
  v1::Lineage& theirs = *message.mutable_hello()->mutable_lineage();
  const v1::Lineage& own = network.published(node);
  if (theirs.database_id().empty() || own.database_id().empty()) return;
  if (theirs.database_id() != own.database_id()) theirs = own;
}
inline void FalsifyDatabase(SimulatedNetwork& network, const std::string& /*node*/, v1::Hello& said,
                            v1::PublisherMessage& message) {
  if (!network.options().ignore_databases || !message.has_welcome() || said.inspect()) return;
  v1::Lineage& theirs = *message.mutable_welcome()->mutable_lineage();
  if (said.lineage().database_id().empty()) return;
  if (theirs.database_id() != said.lineage().database_id()) theirs = said.lineage();
}
inline void NoteSaid(SimulatedNetwork& network, const std::string& node, const v1::PublisherMessage& message,
                     v1::Hello& /*said*/) {
  if (network.options().ignore_databases && message.has_welcome()) {
    network.published(node) = message.welcome().lineage();
  }
}
inline void NoteSaid(SimulatedNetwork& network, const std::string& /*node*/, const v1::FollowerMessage& message,
                     v1::Hello& said) {
  if (network.options().ignore_databases && message.has_hello()) said = message.hello();
}

// One direction is lost with the other: `cut` drops everything that is on its way.
struct Wire {
  bool cut = false;
};

// The state machine of one side. Every event is delivered from the queue, so never from inside a call.
template <typename Out, typename In>
class Endpoint : public std::enable_shared_from_this<Endpoint<Out, In>> {
 public:
  using Events = transport::StreamEvents<In>;
  using Peer = Endpoint<In, Out>;
  // Who takes the first message of a side that accepted, which has no user until then.
  using FirstMessage = std::function<void(In)>;

  Endpoint(SimulatedNetwork& network, std::shared_ptr<Wire> wire, std::string node, std::string peer_node, bool dialed)
      : network_(network),
        wire_(std::move(wire)),
        node_(std::move(node)),
        peer_node_(std::move(peer_node)),
        dialed_(dialed) {}

  void SetPeer(const std::shared_ptr<Peer>& peer) { peer_ = peer; }
  void SetConnect(std::function<void()> connect) { connect_ = std::move(connect); }
  void AwaitFirstMessage(FirstMessage first) {
    first_message_ = std::move(first);
    open_ = true;
    Pump();
  }

  // --- The user's side, as in MessageStream. ---

  void Start(std::shared_ptr<Events> events) {
    if (dead_) return;
    if (started_) return Misuse("Start called twice");
    started_ = true;
    events_ = std::move(events);
    if (closed_) return TellClosed();
    if (dialed_) return connect_();
    Announce();
  }

  void Write(Out message) {
    if (dead_ || closed_ || closing_) return;
    if (writing_) return Misuse("Write called while another is outstanding");
    writing_ = true;
    if (network_.options().acknowledge_early) AcknowledgeEarly(message, received_offset_);
    Observe(network_.observer(), node_, peer_node_, message);
    NoteSaid(network_, node_, message, said_);
    if (const v1::Hello* look = LookOf(message)) look_ = *look;
    held_ = std::move(message);
    SendHeld();
  }

  void Read() {
    if (dead_ || closed_) return;
    if (reading_) return Misuse("Read called while another is outstanding");
    reading_ = true;
    Pump();
  }

  void Close() {
    if (dead_ || closed_ || closing_) return;
    closing_ = true;
    if (!open_) return Finish(absl::CancelledError("closed before it was open (simulated)"));
    if (!writing_) SendEnd();
    network_.queue().Add(network_.options().close_timeout, [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->Cancel();
    });
  }

  void Cancel() {
    if (dead_ || closed_) return;
    SendReset(absl::CancelledError("the peer cancelled the stream (simulated)"));
    Finish(absl::CancelledError("cancelled (simulated)"));
  }

  // --- The network's side. ---

  void Opened() {
    if (dead_ || closed_) return;
    open_ = true;
    Announce();
  }

  void Arrive(In message) {
    if (dead_ || closed_) return;
    network_.CorruptOnArrival(message);
    received_.push_back(std::move(message));
    Pump();
  }

  void ArriveEnd() {
    peer_ended_ = true;
    Pump();
  }

  // The stream is broken, as this side notices after `delay`.
  void Break(const absl::Status& status, absl::Duration delay) {
    network_.queue().Add(delay, [weak = this->weak_from_this(), status] {
      const auto self = weak.lock();
      if (self && !self->dead_ && !self->closed_) self->Finish(status);
    });
  }

  // The receiver has read so much.
  void ReturnWindow(uint64_t size) {
    window_used_ -= size;
    SendHeld();
  }

  void Die() { dead_ = true; }
  void Release() {
    events_.reset();
    first_message_ = nullptr;
    connect_ = nullptr;
  }
  void SendReset(const absl::Status& status) {
    Transmit([status](Peer& peer) { peer.Break(status, absl::ZeroDuration()); });
  }
  const std::string& node() const { return node_; }
  const std::string& peer_node() const { return peer_node_; }
  bool over() const { return (closed_ && !events_) || dead_; }
  bool dead() const { return dead_; }

 private:
  void Misuse(const std::string& what) { network_.observer().OnMisuse(node_, what); }

  void Announce() {
    Soon([this] {
      announced_ = true;
      events_->OnOpen();
      Pump();
    });
  }

  // Runs `call` from the queue unless the stream is over by then.
  void Soon(std::function<void()> call) {
    network_.queue().Add(network_.queue().random().Delay(absl::ZeroDuration(), absl::Microseconds(20)),
                         [weak = this->weak_from_this(), call = std::move(call)] {
                           const auto self = weak.lock();
                           if (self && !self->dead_ && !self->closed_) call();
                         });
  }

  // What is handed over now reaches the peer in this order.
  void Transmit(absl::AnyInvocable<void(Peer&)> arrive) {
    EventQueue& queue = network_.queue();
    const NetworkOptions& options = network_.options();
    const absl::Duration arrival = queue.now() + queue.random().Delay(options.delay_least, options.delay_most);
    last_arrival_ = std::max(last_arrival_, arrival);
    queue.Add(last_arrival_ - queue.now(), [wire = wire_, weak = peer_, arrive = std::move(arrive)]() mutable {
      const auto peer = weak.lock();
      if (peer && !wire->cut) arrive(*peer);
    });
  }

  void SendHeld() {
    if (!held_.has_value() || dead_ || closed_) return;
    const uint64_t size = held_->ByteSizeLong();
    if (window_used_ > 0 && window_used_ + size > network_.options().window) return;
    window_used_ += size;
    Transmit([message = *std::move(held_)](Peer& peer) mutable { peer.Arrive(std::move(message)); });
    held_.reset();
    Soon([this] {
      writing_ = false;
      if (closing_) SendEnd();
      events_->OnWritten();
    });
  }

  void SendEnd() {
    if (std::exchange(end_sent_, true)) return;
    Transmit([](Peer& peer) { peer.ArriveEnd(); });
    if (!dialed_) Soon([this] { Finish(absl::OkStatus()); });
  }

  void Pump() {
    if (std::exchange(pumping_, true)) return;
    network_.queue().Add(absl::ZeroDuration(), [weak = this->weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->pumping_ = false;
      if (!self->dead_ && !self->closed_ && self->open_) self->Deliver();
    });
  }

  void Deliver() {
    if (!received_.empty()) {
      if (!first_message_ && !(reading_ && announced_)) return;
      In message = std::move(received_.front());
      received_.pop_front();
      Transmit([size = message.ByteSizeLong()](Peer& peer) { peer.ReturnWindow(size); });
      NoteReceived(message, received_offset_);
      ObserveReceived(network_.observer(), node_, peer_node_, look_.look(), message);
      Falsify(network_.options(), look_, message);
      FalsifyDatabase(network_, node_, said_, message);
      Pump();
      if (first_message_) return std::exchange(first_message_, nullptr)(std::move(message));
      reading_ = false;
      return events_->OnMessage(std::move(message));
    }
    if (!peer_ended_) return;
    // A client learns of the server's end by itself, a server of the client's by a read.
    if (dialed_) return Finish(absl::OkStatus());
    if (reading_ || first_message_) {
      closing_ = true;
      SendEnd();
    }
  }

  void Finish(const absl::Status& status) {
    closed_ = true;
    status_ = status;
    held_.reset();
    received_.clear();
    first_message_ = nullptr;
    if (started_) TellClosed();
  }

  void TellClosed() {
    network_.queue().Add(absl::ZeroDuration(), [weak = this->weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->dead_ || !self->events_) return;
      const std::shared_ptr<Events> events = std::move(self->events_);
      self->connect_ = nullptr;
      if (!self->dialed_ && !self->announced_) events->OnOpen();
      events->OnClosed(self->status_);
    });
  }

  SimulatedNetwork& network_;
  const std::shared_ptr<Wire> wire_;
  const std::string node_;
  const std::string peer_node_;
  const bool dialed_;
  std::weak_ptr<Peer> peer_;
  std::function<void()> connect_;
  FirstMessage first_message_;
  std::shared_ptr<Events> events_;
  bool started_ = false;
  bool open_ = false;
  bool announced_ = false;  // OnOpen was called
  bool closing_ = false;    // Close was called: nothing more is written
  bool end_sent_ = false;
  bool peer_ended_ = false;
  bool closed_ = false;  // nothing more is delivered but OnClosed
  bool dead_ = false;    // its process is gone: nothing is delivered
  bool writing_ = false;
  bool reading_ = false;
  bool pumping_ = false;
  absl::Status status_;
  std::optional<Out> held_;  // waits for the window
  uint64_t window_used_ = 0;
  absl::Duration last_arrival_;
  std::deque<In> received_;
  uint64_t received_offset_ = 0;
  v1::Hello look_;  // what was said on a stream that only looks
  v1::Hello said_;  // what was said on any, for NetworkOptions::ignore_databases
};

using FollowerEndpoint = Endpoint<v1::FollowerMessage, v1::PublisherMessage>;
using PublisherEndpoint = Endpoint<v1::PublisherMessage, v1::FollowerMessage>;

// Both sides of one stream.
struct Connection {
  std::shared_ptr<Wire> wire;
  std::shared_ptr<FollowerEndpoint> follower;
  std::shared_ptr<PublisherEndpoint> publisher;
};

// What a user holds: dropping it cancels the stream.
template <typename Out, typename In>
class StreamHandle : public transport::MessageStream<Out, In> {
 public:
  explicit StreamHandle(std::shared_ptr<Endpoint<Out, In>> endpoint) : endpoint_(std::move(endpoint)) {}
  ~StreamHandle() override { endpoint_->Cancel(); }
  void Start(std::shared_ptr<transport::StreamEvents<In>> events) override { endpoint_->Start(std::move(events)); }
  void Write(Out message) override { endpoint_->Write(std::move(message)); }
  void Read() override { endpoint_->Read(); }
  void Close() override { endpoint_->Close(); }
  void Cancel() override { endpoint_->Cancel(); }
  std::string peer() const override { return absl::StrCat("simulated:", endpoint_->peer_node()); }

 private:
  std::shared_ptr<Endpoint<Out, In>> endpoint_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SIMULATED_STREAM_H_
