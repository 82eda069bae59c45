#include "sidecar/replication/publisher_session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"

namespace zrs::replication {

using filestorage::Boundary;

PublisherSession::PublisherSession(PublisherOptions options, Publication publication)
    : options_(options), publication_(std::move(publication)) {
  assert(options_.batch_size > 0 && options_.read_ahead > 0);
}

PublisherSession::State PublisherSession::state() const {
  switch (phase_) {
    case Phase::kHello:
    case Phase::kProbingOld:
    case Phase::kProbing:
      return State::kHandshake;
    case Phase::kServing:
      if (rebuild_ && acknowledged_offset_ == 0) return State::kRebuilding;
      return sent_offset_ < welcome_end_ ? State::kCopying : State::kStreaming;
    case Phase::kInspecting:
      return State::kInspecting;
    case Phase::kEnding:
    case Phase::kClosed:
      break;
  }
  return State::kEnding;
}

PublisherEffects PublisherSession::OnMessage(const v1::FollowerMessage& message) {
  PublisherEffects effects;
  if (phase_ == Phase::kClosed) return effects;
  assert(receiving_);
  receiving_ = false;
  if (message.has_end()) {
    if (!own_end_) {
      follower_end_ = MakeEnd(message.end().reason(), message.end().message(), message.end().remedy());
      follower_end_->set_generation(message.end().generation());
    }
    Close(&effects);
  } else if (phase_ == Phase::kHello) {
    TakeHello(message, &effects);
  } else if (phase_ == Phase::kServing) {
    TakeMessage(message, &effects);
    Pump(&effects);
  } else if (phase_ == Phase::kInspecting) {
    TakeQuestion(message, &effects);
  }
  return effects;
}

void PublisherSession::TakeMessage(const v1::FollowerMessage& message, PublisherEffects* effects) {
  switch (message.message_case()) {
    case v1::FollowerMessage::kAcknowledge:
      return TakeAcknowledge(message.acknowledge(), effects);
    case v1::FollowerMessage::kDigestRequest:
      return TakeDigestRequest(message.digest_request(), effects);
    case v1::FollowerMessage::kHello:
      return FailProtocol("a second hello", effects);
    case v1::FollowerMessage::kTransactionRequest:
    case v1::FollowerMessage::kVouch:
      return FailProtocol("a question, though it did not say that it inspects", effects);
    case v1::FollowerMessage::kEnd:  // taken by OnMessage
    case v1::FollowerMessage::MESSAGE_NOT_SET:
      return FailProtocol("a message of unknown kind", effects);
  }
}

void PublisherSession::TakeAcknowledge(const v1::Acknowledge& acknowledge, PublisherEffects* effects) {
  const uint64_t offset = acknowledge.durable_offset();
  if (offset < acknowledged_offset_) {
    return FailProtocol(absl::StrCat("acknowledged offset went back from ", acknowledged_offset_, " to ", offset),
                        effects);
  }
  if (offset > sent_offset_) {
    return FailProtocol(absl::StrCat("acknowledged offset ", offset, ", but only ", sent_offset_, " was sent"),
                        effects);
  }
  if (acknowledge.received_offset() > sent_offset_) {
    return FailProtocol(
        absl::StrCat("received offset ", acknowledge.received_offset(), ", but only ", sent_offset_, " was sent"),
        effects);
  }
  acknowledged_offset_ = offset;
  received_offset_ = std::max({received_offset_, offset, acknowledge.received_offset()});
  trail_.DropUntil(offset);
  positions_.Acknowledge(offset);
  receiving_ = true;
  effects->emplace_back(ReceiveFromFollower{});
}

void PublisherSession::TakeDigestRequest(const v1::DigestRequest& request, PublisherEffects* effects) {
  const uint64_t most = phase_ == Phase::kInspecting ? publication_.end.offset : sent_offset_;
  if (request.begin() >= request.end() || request.end() > most) {
    return FailProtocol(absl::StrCat("a digest of ", request.begin(), " to ", request.end(), ", but only ", most,
                                     " bytes were ", phase_ == Phase::kInspecting ? "committed" : "sent"),
                        effects);
  }
  if (phase_ == Phase::kInspecting && request.end() - request.begin() > kMostInspected) {
    return FailProtocol(
        absl::StrCat("a digest of ", request.end() - request.begin(), " bytes at once, more than ", kMostInspected),
        effects);
  }
  if (answering()) return FailProtocol("a second digest before the first was answered", effects);
  if (phase_ == Phase::kServing) {
    if (!rebuild_) return FailProtocol("a digest, though it does not build a file anew", effects);
    digested_ += request.end() - request.begin();
    if (digested_ > sent_offset_) {
      return FailProtocol(
          absl::StrCat("digests of ", digested_, " bytes in all, though only ", sent_offset_, " were sent"), effects);
    }
  }
  digesting_ = request;
  effects->emplace_back(DigestBytes{request.begin(), request.end()});
  receiving_ = true;
  effects->emplace_back(ReceiveFromFollower{});
}

PublisherEffects PublisherSession::OnDigested(absl::StatusOr<filestorage::Digest> digest) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(digesting_);
  if (!digest.ok()) {
    FailSource(digest.status(), &effects);
    return effects;
  }
  if (phase_ == Phase::kInspecting) inspected_.Add(digesting_->begin(), digesting_->end(), *digest);
  v1::RangeDigest& answer = *answer_.emplace().mutable_range_digest();
  answer.set_begin(digesting_->begin());
  answer.set_end(digesting_->end());
  answer.set_digest(digest->ToBytes());
  digesting_.reset();
  Pump(&effects);
  return effects;
}

PublisherEffects PublisherSession::OnSent() {
  PublisherEffects effects;
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

PublisherEffects PublisherSession::OnBytes(uint64_t offset, absl::StatusOr<std::string> bytes) {
  PublisherEffects effects;
  if (over()) return effects;
  const auto read = std::find_if(reads_.begin(), reads_.end(), [offset](const Read& r) { return r.offset == offset; });
  assert(read != reads_.end() && !read->bytes);
  if (!bytes.ok()) {
    FailSource(absl::Status(bytes.status().code(), absl::StrCat("reading ", read->size, " bytes at offset ", offset,
                                                                ": ", bytes.status().message())),
               &effects);
    return effects;
  }
  if (bytes->size() != read->size) {
    FailSource(absl::DataLossError(absl::StrCat("reading ", read->size, " bytes at offset ", offset, ": only ",
                                                bytes->size(), " are there, though the file is committed up to ",
                                                DescribePosition(publication_.end))),
               &effects);
    return effects;
  }
  read->bytes = *std::move(bytes);
  while (!reads_.empty() && reads_.front().bytes) {
    Read answered = std::move(reads_.front());
    reads_.pop_front();
    if (absl::Status sound = MakeBatch(answered.offset, *std::move(answered.bytes)); !sound.ok()) {
      FailSource(std::move(sound), &effects);
      return effects;
    }
  }
  Pump(&effects);
  return effects;
}

absl::Status PublisherSession::MakeBatch(uint64_t offset, std::string bytes) {
  v1::PublisherMessage message;
  v1::Batch& batch = *message.mutable_batch();
  batch.set_offset(offset);
  *batch.mutable_predecessor() = ToProto(scanner_->last());
  batch.set_digest(filestorage::DigestOf(bytes).ToBytes());
  absl::Status sound = CheckScanned(scanner_->Feed(bytes));
  if (!sound.ok()) return sound;
  trail_.OnFed(*scanner_, offset, bytes);
  batch.set_data(std::move(bytes));
  batches_.push_back({std::move(message), scanner_->last()});
  return absl::OkStatus();
}

absl::Status PublisherSession::CheckScanned(const filestorage::ScanResult& result) const {
  const Boundary& end = publication_.end;
  switch (result.outcome) {
    case filestorage::ScanOutcome::kCorrupt:
      return absl::DataLossError(absl::StrCat("the file is damaged at offset ", result.position, ": ", result.reason));
    case filestorage::ScanOutcome::kInProgress:
      return absl::DataLossError(absl::StrCat("the file has an uncommitted transaction at offset ", result.position,
                                              ", though it was committed up to ", DescribePosition(end)));
    case filestorage::ScanOutcome::kMore:
      break;
  }
  // Also finds a file that was overwritten in place by another sound one.
  if (scanner_->position() == end.offset && scanner_->last() != end) {
    return absl::DataLossError(absl::StrCat("the file is not the one that was committed up to ", DescribePosition(end),
                                            ": now its last transaction before is at ",
                                            DescribePosition(scanner_->last())));
  }
  return absl::OkStatus();
}

PublisherEffects PublisherSession::OnCommittedEnd(const Boundary& end) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(end.offset >= publication_.end.offset);
  publication_.end = end;
  Pump(&effects);
  return effects;
}

PublisherEffects PublisherSession::OnHeartbeat(const v1::Heartbeat& heartbeat) {
  PublisherEffects effects;
  if (over()) return effects;
  if (!heartbeat_) batches_since_heartbeat_ = 0;
  heartbeat_ = heartbeat;
  Pump(&effects);
  return effects;
}

PublisherEffects PublisherSession::OnEnd(v1::End::Reason reason, const std::string& message,
                                         const std::string& remedy) {
  PublisherEffects effects;
  v1::End end = MakeEnd(reason, message, remedy);
  if (reason == v1::End::REASON_SHUTDOWN) end.set_committed_end(publication_.end.offset);
  Finish(std::move(end), &effects);
  return effects;
}

void PublisherSession::Pump(PublisherEffects* effects) {
  if (phase_ == Phase::kInspecting) return SendNext(effects);
  if (phase_ != Phase::kServing) return;
  StartReads(effects);
  SendNext(effects);
  StartReads(effects);  // in place of the batch that went
}

void PublisherSession::StartReads(PublisherEffects* effects) {
  while (reads_.size() + batches_.size() < options_.read_ahead && read_offset_ < publication_.end.offset) {
    const uint64_t size = std::min(options_.batch_size, publication_.end.offset - read_offset_);
    reads_.push_back({read_offset_, size, std::nullopt});
    effects->emplace_back(ReadBytes{read_offset_, size});
    read_offset_ += size;
  }
}

void PublisherSession::SendNext(PublisherEffects* effects) {
  if (sending_) return;
  if (answer_) return Send(*std::exchange(answer_, std::nullopt), effects);
  if (phase_ == Phase::kInspecting) return;
  // A heartbeat waits for bytes that are being read too: otherwise each commit's batch, which is read in a moment,
  // would have to wait for the heartbeat that tells of the same commit.
  const bool open =
      batches_.empty() || batches_.front().message.batch().offset() - received_offset_ < options_.most_on_the_way;
  const bool batches_go_first = open && (!batches_.empty() || !reads_.empty());
  if (heartbeat_ && (!batches_go_first || batches_since_heartbeat_ >= kBatchesPerHeartbeat)) {
    v1::PublisherMessage message;
    *message.mutable_heartbeat() = *std::exchange(heartbeat_, std::nullopt);
    return Send(std::move(message), effects);
  }
  if (batches_.empty() || !open) return;
  v1::PublisherMessage message = std::move(batches_.front().message);
  positions_.Add(batches_.front().end);
  batches_.pop_front();
  ++batches_since_heartbeat_;
  sent_offset_ = message.batch().offset() + message.batch().data().size();
  Send(std::move(message), effects);
}

void PublisherSession::Send(v1::PublisherMessage message, PublisherEffects* effects) {
  sending_ = true;
  effects->emplace_back(SendToFollower{std::move(message)});
}

void PublisherSession::FailProtocol(absl::string_view what, PublisherEffects* effects) {
  Finish(MakeEnd(v1::End::REASON_PROTOCOL, absl::StrCat("protocol error by the follower: ", what), kProtocolRemedy),
         effects);
}

void PublisherSession::FailSource(absl::Status error, PublisherEffects* effects) {
  source_error_ = std::move(error);
  Finish(MakeEnd(v1::End::REASON_SOURCE_FAILED, absl::StrCat("the publisher's file failed: ", source_error_.message()),
                 "look at the publisher's log, and check its file and disk; this copy is left as it is"),
         effects);
}

void PublisherSession::Finish(v1::End end, PublisherEffects* effects) {
  if (over()) return;
  phase_ = Phase::kEnding;
  own_end_ = std::move(end);
  own_end_->set_secondary(publication_.secondary);
  if (const v1::Epoch* epoch = CurrentEpoch(publication_.lineage);
      epoch != nullptr && own_end_->reason() == v1::End::REASON_DIVERGED) {
    own_end_->set_generation(epoch->generation());
  }
  DropWork();
  if (!sending_) SendEnd(effects);
}

void PublisherSession::SendEnd(PublisherEffects* effects) {
  end_sent_ = true;
  v1::PublisherMessage message;
  *message.mutable_end() = *own_end_;
  Send(std::move(message), effects);
}

void PublisherSession::Close(PublisherEffects* effects) {
  phase_ = Phase::kClosed;
  DropWork();
  effects->emplace_back(CloseFollower{});
}

void PublisherSession::DropWork() {
  reads_.clear();
  batches_.clear();
  heartbeat_.reset();
  answer_.reset();
}

}  // namespace zrs::replication
