#include "sidecar/storage/secondary/comparison/proving.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "sidecar/replication/lineage.h"

namespace zrs::storage {
namespace {

uint64_t GenerationOf(const InspectedFile& upstream) {
  const v1::Epoch* epoch = replication::CurrentEpoch(upstream.lineage);
  return epoch == nullptr ? 0 : epoch->generation();
}

}  // namespace

void Proving::Begin() {
  address_ = 0;
  heard_.reset();
  refuted_.reset();
  // Where there is one address, it is the one that counts, whatever it is.
  BeginPass(/*secondaries=*/answers_.size() == 1);
}

void Proving::BeginPass(bool secondaries) {
  absl::c_fill(answers_, Answer::kNone);
  secondaries_ = secondaries;
}

absl::Status Proving::MayJudge(const InspectedFile& upstream) const {
  const bool primary_refuted = refuted_ && !refuted_->by_secondary;
  if (upstream.secondary && (!secondaries_ || primary_refuted)) {
    return absl::OutOfRangeError("it is a secondary: primaries are asked first");
  }
  if (primary_refuted && upstream.lineage.database_id() == refuted_->database_id &&
      GenerationOf(upstream) < refuted_->generation) {
    return absl::OutOfRangeError("it is a stale primary: one of a later generation has answered");
  }
  return absl::OkStatus();
}

Proving::Step Proving::NoteRefuted(const InspectedFile& upstream, v1::Comparison report, absl::Duration now) {
  Refuted one{address_, upstream.secondary, upstream.lineage.database_id(), GenerationOf(upstream), std::move(report)};
  const bool counts_more = !refuted_ || (refuted_->by_secondary && !one.by_secondary) ||
                           (refuted_->by_secondary == one.by_secondary && one.generation > refuted_->generation);
  if (counts_more) refuted_ = std::move(one);
  return Note(Answer::kRefuted, now);
}

bool Proving::Has(Answer answer) const { return absl::c_linear_search(answers_, answer); }

Proving::Step Proving::Note(Answer answer, absl::Duration now) {
  answers_[address_] = answer;
  if (answer != Answer::kSilent && !heard_) heard_ = now;
  address_ = (address_ + 1) % answers_.size();
  if (Has(Answer::kNone)) return Step::kAsk;
  const bool waits = Has(Answer::kSilent) && (!heard_ || now - *heard_ < kPatience);
  if (refuted_ && !waits && (!refuted_->by_secondary || secondaries_)) return Step::kRefute;
  if (!waits && !secondaries_ && Has(Answer::kPassedOver)) {
    BeginPass(/*secondaries=*/true);
    return Step::kAsk;
  }
  if (!Has(Answer::kPassedOver) && !Has(Answer::kRefuted)) heard_.reset();
  BeginPass(/*secondaries=*/answers_.size() == 1);
  return Step::kWait;
}

}  // namespace zrs::storage
