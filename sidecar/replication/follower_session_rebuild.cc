// The part of the follower's session that builds a new file beside the copy, has it proved and swaps it in.
#include <cassert>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/follower_session.h"

namespace zrs::replication {

// The new file is looked at once it has all that the publisher had a moment ago; what is committed from then on is
// appended to it meanwhile.
void FollowerSession::PumpRebuild(FollowerEffects* effects) {
  if (!proof_) {
    if (durable_.offset < upstream_end_) return;
    proof_ = Proof{};
    proof_->end = durable_;
    effects->emplace_back(ProveRebuild{proof_->end});
  }
  if (!proof_->requested && !sending_) {
    proof_->requested = true;
    v1::FollowerMessage message;
    message.mutable_digest_request()->set_end(proof_->end.offset);
    Send(std::move(message), effects);
  }
  if (proof_->ours && proof_->theirs && !proof_->swapping && queue_.between_groups()) {
    proof_->swapping = true;
    effects->emplace_back(SwapCopy{durable_});
  }
}

void FollowerSession::TakeRangeDigest(const v1::RangeDigest& answer, FollowerEffects* effects) {
  const bool due = proof_ && proof_->requested && !proof_->theirs;
  if (!due || answer.begin() != 0 || answer.end() != proof_->end.offset) {
    return FailProtocol("a digest that was not asked for", effects);
  }
  const absl::StatusOr<filestorage::Digest> digest = filestorage::Digest::FromBytes(answer.digest());
  if (!digest.ok()) return FailProtocol(digest.status().message(), effects);
  proof_->theirs = *digest;
  CompareProofs(effects);
}

FollowerEffects FollowerSession::OnRebuildProved(absl::StatusOr<RebuildProof> proof) {
  FollowerEffects effects;
  // It was given up, since the stream is over.
  if (over() || absl::IsCancelled(proof.status())) return effects;
  assert(proof_ && !proof_->ours);
  if (!proof.ok()) {
    FailWriting("reading the new file", proof.status(), &effects);
    return effects;
  }
  if (!proof->objection.empty()) {
    Finish(MakeEnd(v1::End::REASON_DIVERGED,
                   absl::StrCat("the publisher's file is no pack of the copy here: ", proof->objection),
                   "nothing was replaced; if the publisher's file is the right one, move the follower's file and its "
                   "state file away and start its sidecar again to copy afresh"),
           &effects);
    return effects;
  }
  proof_->ours = proof->digest;
  CompareProofs(&effects);
  Pump(&effects);
  return effects;
}

void FollowerSession::CompareProofs(FollowerEffects* effects) {
  if (!proof_->ours || !proof_->theirs || *proof_->ours == *proof_->theirs) return;
  rebuild_refuted_ = true;
  FailProtocol(
      absl::StrCat("the new file's first ", proof_->end.offset, " bytes have the digest ", proof_->ours->ToHex(),
                   " here and ", proof_->theirs->ToHex(), " at the publisher: they are fetched again"),
      effects);
}

FollowerEffects FollowerSession::OnSwapped(absl::Status status) {
  FollowerEffects effects;
  if (status.ok()) {
    rebuilding_ = false;
    proof_.reset();
    acknowledge_due_ = true;
    NoteCaughtUp();
  }
  if (over()) return effects;
  if (!status.ok()) {
    FailWriting("replacing the copy", status, &effects);
  } else {
    Pump(&effects);
  }
  return effects;
}

}  // namespace zrs::replication
