// Of which upstream's file one is a copy that no state tells of: who is asked next, and what follows from the answers.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_PROVING_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_PROVING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/storage/secondary/comparison/upstream_inspector.h"

namespace zrs::storage {

// The addresses are asked one after the other, in passes. Whoever has all of the file proves it, and that is the end.
// Else:
//
// - A primary's word counts before that of a secondary, which may be a copy of what its primary was before: secondaries
//   are compared with only in a pass of their own, after one that found no primary.
// - A primary of an earlier generation does not prove what a later one of that database has refuted.
// - The file is refuted once every address has answered. Those that do not are waited for, for kPatience: the primary
//   of before may answer first.
//
// No I/O, no clock. Strand.
class Proving {
 public:
  // From the first answer on.
  static constexpr absl::Duration kPatience = absl::Seconds(30);

  struct Refuted {
    size_t address = 0;
    bool by_secondary = false;
    std::string database_id;
    uint64_t generation = 0;
    v1::Comparison report;
  };
  // What is to be done after an answer was noted.
  enum class Step {
    kAsk,     // address(), at once
    kWait,    // and then ask address()
    kRefute,  // as refuted() tells
  };

  // `addresses`: how many there are, at least one.
  explicit Proving(size_t addresses) : answers_(addresses) {}

  // Another file is there, or it is to be compared anew.
  void Begin();
  // Whose turn it is.
  size_t address() const { return address_; }
  // Whether one that says this of itself is compared with now. OutOfRange: it is passed over; Note that.
  absl::Status MayJudge(const InspectedFile& upstream) const;

  // What came of asking address(). `now`: of a monotonic clock.
  Step NotePassedOver(absl::Duration now) { return Note(Answer::kPassedOver, now); }
  // It does not say, at present, whether the file is its.
  Step NoteSilent(absl::Duration now) { return Note(Answer::kSilent, now); }
  Step NoteRefuted(const InspectedFile& upstream, v1::Comparison report, absl::Duration now);
  // Of those that refuted it the one that counts most; there is one after kRefute.
  const Refuted& refuted() const { return *refuted_; }
  // The generation of the primary of that database that refuted it; 0: none did.
  uint64_t RefutedGeneration(const v1::Lineage& lineage) const;

 private:
  enum class Answer { kNone, kPassedOver, kSilent, kRefuted };

  Step Note(Answer answer, absl::Duration now);
  bool Has(Answer answer) const;
  // Who has refuted it is not asked again: that may take as long as the file is large.
  void BeginPass(bool secondaries);
  size_t NextToAsk() const;

  std::vector<Answer> answers_;  // of this pass; who refuted it, in any
  size_t address_ = 0;
  bool secondaries_ = false;             // this pass is theirs too
  std::optional<absl::Duration> heard_;  // when somebody answered, after nobody did
  std::optional<Refuted> refuted_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_PROVING_H_
