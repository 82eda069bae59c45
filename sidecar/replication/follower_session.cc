#include "sidecar/replication/follower_session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/batch_check.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/heartbeat_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/replication/welcome.h"

namespace zrs::replication {
namespace {

using filestorage::Boundary;

// A file that its owner must not write is a primary's oddity; a copy has to be written.
constexpr uint32_t kOwnersBits = 0600;

WriteQueueOptions QueueOptions(const FollowerOptions& options) {
  // A full queue must always be writable in part: so the limits below it are parts of it.
  const uint64_t part = std::max<uint64_t>(options.queue_limit / 4, 1);
  return {.group_limit = options.group_limit, .piece_limit = part, .far_behind = part};
}

}  // namespace

v1::Hello MakeHello(const FollowerOptions& options, const Copy& copy) {
  v1::Hello hello;
  hello.set_lowest_version(kLowestProtocolVersion);
  hello.set_highest_version(kProtocolVersion);
  hello.set_storage(options.storage);
  hello.set_follower_name(options.follower_name);
  *hello.mutable_lineage() = copy.lineage;
  *hello.mutable_position() = ToProto(copy.committed);
  if (copy.rebuild) {
    *hello.mutable_rebuild()->mutable_lineage() = copy.rebuild->lineage;
    *hello.mutable_rebuild()->mutable_position() = ToProto(copy.rebuild->committed);
  }
  hello.set_node_id(options.node_id);
  hello.set_copy_id(options.copy_id);
  hello.set_software(options.software);
  hello.set_yields(copy.yields);
  return hello;
}

FollowerSession::FollowerSession(FollowerOptions options, Copy copy)
    : options_(std::move(options)),
      copy_(std::move(copy)),
      queue_(QueueOptions(options_)),
      durable_(copy_.committed),
      received_offset_(durable_.offset),
      start_offset_(durable_.offset) {
  assert(options_.queue_limit > 0 && options_.largest_batch > 0);
  assert(copy_.magic.has_value() == (durable_.offset != 0));
}

FollowerSession::State FollowerSession::state() const {
  switch (phase_) {
    case Phase::kUnopened:
    case Phase::kHello:
      return State::kHandshake;
    case Phase::kCreating:
    case Phase::kFollowing:
      // Until the epoch is durable it is not followed.
      if (adopting_ && phase_ == Phase::kCreating) return State::kHandshake;
      if (rebuilding_) return State::kRebuilding;
      return caught_up_ ? State::kStreaming : State::kCopying;
    case Phase::kEnding:
    case Phase::kClosed:
      break;
  }
  return State::kEnded;
}

FollowerEffects FollowerSession::OnOpen() {
  FollowerEffects effects;
  if (over()) return effects;
  assert(phase_ == Phase::kUnopened);
  phase_ = Phase::kHello;
  v1::FollowerMessage message;
  *message.mutable_hello() = MakeHello(options_, copy_);
  Send(std::move(message), &effects);
  Receive(&effects);
  return effects;
}

FollowerEffects FollowerSession::OnMessage(v1::PublisherMessage message) {
  FollowerEffects effects;
  if (phase_ == Phase::kClosed) return effects;
  assert(receiving_);
  receiving_ = false;
  if (message.has_end()) {
    TakeEnd(message.end(), &effects);
  } else if (phase_ != Phase::kEnding) {
    TakeMessage(std::move(message), &effects);
    Pump(&effects);
  }
  return effects;
}

void FollowerSession::TakeMessage(v1::PublisherMessage message, FollowerEffects* effects) {
  const bool welcomed = phase_ != Phase::kHello;
  switch (message.message_case()) {
    case v1::PublisherMessage::kWelcome:
      return welcomed ? FailProtocol("a second welcome", effects) : TakeWelcome(message.welcome(), effects);
    case v1::PublisherMessage::kBatch:
      return welcomed ? TakeBatch(message.mutable_batch(), effects)
                      : FailProtocol("a batch before the welcome", effects);
    case v1::PublisherMessage::kHeartbeat:
      return welcomed ? TakeHeartbeat(message.heartbeat(), effects)
                      : FailProtocol("a heartbeat before the welcome", effects);
    case v1::PublisherMessage::kRangeDigest:
      return TakeRangeDigest(message.range_digest(), effects);
    case v1::PublisherMessage::kFoundTransaction:
      return FailProtocol("an answer to what was not asked", effects);
    case v1::PublisherMessage::kEnd:  // taken by OnMessage
    case v1::PublisherMessage::MESSAGE_NOT_SET:
      return FailProtocol("a message of unknown kind", effects);
  }
}

void FollowerSession::TakeWelcome(const v1::Welcome& welcome, FollowerEffects* effects) {
  const WelcomeDecision decision = CheckWelcome(copy_, welcome);
  if (const auto* refuse = std::get_if<RefuseWelcome>(&decision)) return Finish(refuse->end, effects);
  const auto& accept = std::get<AcceptWelcome>(decision);
  const v1::Epoch* known = CurrentEpoch(copy_.lineage);
  adopting_ = accept.decision == v1::Welcome::DECISION_RESUME &&
              (known == nullptr || known->id() != CurrentEpoch(welcome.lineage())->id());
  copy_.lineage = welcome.lineage();
  upstream_is_secondary_ = welcome.secondary();
  copy_.magic = accept.magic;
  start_offset_ = accept.start.offset;
  received_offset_ = accept.start.offset;
  told_offset_ = accept.start.offset;
  upstream_end_ = welcome.committed_end();
  scanner_.emplace(accept.magic, accept.start, &trail_);
  queue_.Start(accept.start);
  if (accept.decision == v1::Welcome::DECISION_REBUILD) {
    phase_ = Phase::kCreating;
    rebuilding_ = true;
    durable_ = accept.start;
    effects->emplace_back(PrepareRebuild{welcome.lineage(), accept.magic, accept.start, welcome.committed_end()});
    return;
  }
  const bool create = accept.decision == v1::Welcome::DECISION_COPY;
  phase_ = create || adopting_ ? Phase::kCreating : Phase::kFollowing;
  if (adopting_) effects->emplace_back(AdoptLineage{copy_.lineage});
  if (!create) return;
  std::optional<uint32_t> mode;
  if (const uint32_t bits = welcome.file_mode() & 0777; bits != 0) mode = bits | kOwnersBits;
  effects->emplace_back(CreateCopy{copy_.lineage, accept.magic, mode});
}

FollowerEffects FollowerSession::OnCreated(absl::Status status) {
  FollowerEffects effects;
  if (status.ok() && copy_.magic && !rebuilding_ && !adopting_) durable_ = filestorage::FirstBoundary(*copy_.magic);
  if (over()) return effects;
  assert(phase_ == Phase::kCreating);
  if (!status.ok()) {
    FailWriting(adopting_     ? "remembering the epoch"
                : rebuilding_ ? "creating the new file"
                              : "creating the copy",
                status, &effects);
    return effects;
  }
  phase_ = Phase::kFollowing;
  acknowledge_due_ = !rebuilding_;
  Pump(&effects);
  return effects;
}

void FollowerSession::TakeBatch(v1::Batch* batch, FollowerEffects* effects) {
  const absl::Status sound = CheckBatch(*batch, received_offset_, scanner_->last(), options_.largest_batch);
  if (!sound.ok()) {
    return FailProtocol(absl::StrCat("malformed batch at offset ", batch->offset(), ": ", sound.message()), effects);
  }
  const filestorage::ScanResult result = scanner_->Feed(batch->data());
  if (result.outcome != filestorage::ScanOutcome::kMore) {
    const bool in_progress = result.outcome == filestorage::ScanOutcome::kInProgress;
    return FailProtocol(absl::StrCat("unsound bytes at offset ", result.position, ": ",
                                     in_progress ? "a transaction that is not committed" : result.reason),
                        effects);
  }
  trail_.OnFed(*scanner_, received_offset_, batch->data());
  received_offset_ = scanner_->position();
  acknowledge_due_ = acknowledge_due_ || received_offset_ - told_offset_ >= options_.tell_after;
  queue_.Push(std::move(*batch->mutable_data()));
}

void FollowerSession::TakeHeartbeat(const v1::Heartbeat& heartbeat, FollowerEffects* effects) {
  if (absl::Status valid = ValidateHeartbeat(heartbeat); !valid.ok()) return FailProtocol(valid.message(), effects);
  const auto& path = heartbeat.path();
  if (std::find(path.begin(), path.end(), options_.node_id) != path.end()) {
    return Finish(MakeEnd(v1::End::REASON_LOOP,
                          absl::StrCat("a loop of followers: the publisher follows, over ", path.size() - 1,
                                       " other hosts, this follower"),
                          "let one of them follow the primary: see replicate-from in their configurations"),
                  effects);
  }
  heartbeat_ = heartbeat;
  // A heartbeat that was relayed late may name an end that is behind us already.
  upstream_end_ = std::max(upstream_end_, heartbeat.committed_end());
  NoteCaughtUp();
  // Said now it needs no waking up for its own sake a moment later.
  acknowledge_due_ = acknowledge_due_ || (phase_ == Phase::kFollowing && !rebuilding_);
}

void FollowerSession::TakeEnd(const v1::End& end, FollowerEffects* effects) {
  if (!end_) {
    if (phase_ == Phase::kFollowing) upstream_end_ = std::max(upstream_end_, end.committed_end());
    const v1::End clean = MakeEnd(end.reason(), end.message(), end.remedy());
    const bool possible = end.reason() == v1::End::REASON_DIVERGED && end.generation() <= kMostGeneration;
    end_ = FollowerEnd{clean.reason(),  clean.message(),     clean.remedy(), true, possible ? end.generation() : 0,
                       end.secondary(), end.takes_identity()};
  }
  Close(effects);
}

FollowerEffects FollowerSession::OnSent() {
  FollowerEffects effects;
  if (phase_ == Phase::kClosed) return effects;
  assert(sending_);
  sending_ = false;
  if (phase_ == Phase::kEnding) {
    end_sent_ ? Close(&effects) : SendEnd(&effects);
  } else {
    Pump(&effects);
  }
  return effects;
}

FollowerEffects FollowerSession::OnWritten(absl::Status status) {
  FollowerEffects effects;
  const std::optional<Boundary> committed = queue_.OnWritten();
  if (status.ok() && committed) {
    durable_ = *committed;
    trail_.DropUntil(durable_.offset);
    acknowledge_due_ = !rebuilding_;
    NoteCaughtUp();
  }
  if (over()) return effects;
  if (!status.ok()) {
    FailWriting(committed ? "committing" : "writing", status, &effects);
  } else {
    Pump(&effects);
  }
  return effects;
}

FollowerEffects FollowerSession::OnKeepAlive() {
  FollowerEffects effects;
  if (phase_ != Phase::kFollowing) return effects;
  acknowledge_due_ = true;
  Pump(&effects);
  return effects;
}

FollowerEffects FollowerSession::OnStop() {
  FollowerEffects effects;
  Finish(MakeEnd(v1::End::REASON_SHUTDOWN, "the follower stops", "none needed: it comes back when it is started again"),
         &effects);
  return effects;
}

void FollowerSession::NoteCaughtUp() {
  caught_up_ = caught_up_ || (heartbeat_.has_value() && durable_.offset >= upstream_end_);
}

void FollowerSession::Pump(FollowerEffects* effects) {
  if (over()) return;
  if (acknowledge_due_ && !sending_) SendAcknowledge(effects);
  if (phase_ == Phase::kFollowing) {
    if (rebuilding_) PumpRebuild(effects);
    const bool swapping = proof_ && proof_->swapping;
    if (!swapping) {
      if (std::optional<WriteGroup> group = queue_.Next(scanner_->last(), upstream_end_)) {
        effects->emplace_back(*std::move(group));
      }
    }
  }
  if (!receiving_ && queue_.queued() < options_.queue_limit) Receive(effects);
}

void FollowerSession::SendAcknowledge(FollowerEffects* effects) {
  acknowledge_due_ = false;
  v1::FollowerMessage message;
  message.mutable_acknowledge()->set_durable_offset(rebuilding_ ? 0 : durable_.offset);
  message.mutable_acknowledge()->set_received_offset(received_offset_);
  told_offset_ = received_offset_;
  Send(std::move(message), effects);
}

void FollowerSession::Send(v1::FollowerMessage message, FollowerEffects* effects) {
  sending_ = true;
  effects->emplace_back(SendToPublisher{std::move(message)});
}

void FollowerSession::Receive(FollowerEffects* effects) {
  receiving_ = true;
  effects->emplace_back(ReceiveFromPublisher{});
}

void FollowerSession::FailProtocol(absl::string_view what, FollowerEffects* effects) {
  Finish(MakeEnd(v1::End::REASON_PROTOCOL, absl::StrCat("protocol error by the publisher: ", what), kProtocolRemedy),
         effects);
}

void FollowerSession::FailWriting(absl::string_view doing, const absl::Status& error, FollowerEffects* effects) {
  Finish(MakeEnd(
             v1::End::REASON_FOLLOWER_FAILED,
             absl::StrCat("the follower failed ", doing, " behind ", DescribePosition(durable_), ": ", error.message()),
             "see to the disk of the follower's host; its log says whether it goes on by itself"),
         effects);
}

FollowerEffects FollowerSession::OnRival(uint64_t generation, absl::string_view message) {
  FollowerEffects effects;
  v1::End end = MakeEnd(v1::End::REASON_CONFLICT, message, kTwoPrimariesRemedy);
  end.set_generation(generation);
  Finish(end, &effects);
  return effects;
}

void FollowerSession::Finish(const v1::End& end, FollowerEffects* effects) {
  if (over()) return;
  end_ = FollowerEnd{end.reason(), end.message(), end.remedy(), false, end.generation()};
  queue_.Clear();
  if (phase_ == Phase::kUnopened) return Close(effects);
  phase_ = Phase::kEnding;
  if (!sending_) SendEnd(effects);
}

void FollowerSession::SendEnd(FollowerEffects* effects) {
  end_sent_ = true;
  v1::FollowerMessage message;
  *message.mutable_end() = MakeEnd(end_->reason, end_->message, end_->remedy);
  message.mutable_end()->set_generation(end_->generation);
  Send(std::move(message), effects);
}

void FollowerSession::Close(FollowerEffects* effects) {
  phase_ = Phase::kClosed;
  queue_.Clear();
  effects->emplace_back(ClosePublisher{});
}

}  // namespace zrs::replication
