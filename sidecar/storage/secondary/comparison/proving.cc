#include "sidecar/storage/secondary/comparison/proving.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "sidecar/replication/lineage.h"

namespace zrs::storage {

void Proving::Begin() {
  absl::c_fill(answers_, Answer::kNone);
  heard_.reset();
  refuted_.reset();
  // Where there is one address, it is the one that counts, whatever it is.
  BeginPass(/*secondaries=*/answers_.size() == 1);
}

void Proving::BeginPass(bool secondaries) {
  absl::c_replace_if(
      answers_, [](Answer answer) { return answer != Answer::kRefuted; }, Answer::kNone);
  secondaries_ = secondaries;
  address_ = NextToAsk();
}

size_t Proving::NextToAsk() const {
  return static_cast<size_t>(absl::c_find(answers_, Answer::kNone) - answers_.begin()) % answers_.size();
}

absl::Status Proving::MayJudge(const InspectedFile& upstream) const {
  const bool primary_refuted = refuted_ && !refuted_->by_secondary;
  if (upstream.secondary && (!secondaries_ || primary_refuted)) {
    return absl::OutOfRangeError("it is a secondary: primaries are asked first");
  }
  if (replication::CurrentGeneration(upstream.lineage) < RefutedGeneration(upstream.lineage)) {
    return absl::OutOfRangeError("it is a stale primary: one of a later generation has answered");
  }
  return absl::OkStatus();
}

uint64_t Proving::RefutedGeneration(const v1::Lineage& lineage) const {
  const bool of_it = refuted_ && !refuted_->by_secondary && refuted_->database_id == lineage.database_id();
  return of_it ? refuted_->generation : 0;
}

Proving::Step Proving::NoteRefuted(const InspectedFile& upstream, v1::Comparison report, absl::Duration now) {
  Refuted one{address_, upstream.secondary, upstream.lineage.database_id(),
              replication::CurrentGeneration(upstream.lineage), std::move(report)};
  const bool later = refuted_ && refuted_->by_secondary == one.by_secondary &&
                     refuted_->database_id == one.database_id && one.generation > refuted_->generation;
  const bool counts_more = !refuted_ || (refuted_->by_secondary && !one.by_secondary) || later;
  if (counts_more) refuted_ = std::move(one);
  return Note(Answer::kRefuted, now);
}

bool Proving::Has(Answer answer) const { return absl::c_linear_search(answers_, answer); }

Proving::Step Proving::Note(Answer answer, absl::Duration now) {
  answers_[address_] = answer;
  if (answer != Answer::kSilent && !heard_) heard_ = now;
  address_ = NextToAsk();
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
