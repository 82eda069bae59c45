// The comparisons of one copy with its upstream's file: one at a time, whoever wants it.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISONS_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/comparison/copy_comparison.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand.
class Comparisons {
 public:
  enum class Purpose { kAdopt, kLocate, kCompare, kResync, kScrub, kVouch };

  // As CopyComparison's, and what it needs.
  struct Wish {
    Purpose purpose = Purpose::kCompare;
    ComparedFile file;
    filestorage::Boundary from;
    uint64_t rate = 0;
    v1::Lineage lineage;  // of the database that the upstream's is to be of; empty: of any
    std::function<absl::Status(const InspectedFile& upstream)> check;
    std::function<v1::Vouch()> vouch;
    std::function<bool()> wanted;  // asked now and then: false gives up; null: it is always
    // Cancelled where it was given up, or another one took its place.
    absl::AnyInvocable<void(absl::StatusOr<ComparisonResult>)> done;
  };

  // The options, and the others, outlive it.
  Comparisons(const StorageOptions& options, runtime::Runtime& runtime, transport::Dialer& dialer);

  // In the place of the one that is under way, if any. `address`: the upstream's.
  void Run(const std::string& address, Wish wish);
  void Cancel(const std::string& why);
  // To be called now and then: gives up what nobody wants any more.
  void Tick();

  // Of the one that is under way; nothing while there is none.
  std::optional<Purpose> purpose() const;
  // Up to where the files are known to be the same, in the one that is under way.
  const filestorage::Boundary& same() const { return comparison_->same(); }
  void FillStatus(v1::StorageStatus& status) const;

 private:
  void End(absl::StatusOr<ComparisonResult> result);

  const StorageOptions& options_;
  runtime::Runtime& runtime_;
  transport::Dialer& dialer_;
  std::shared_ptr<CopyComparison> comparison_;  // null: none is under way
  Purpose purpose_ = Purpose::kCompare;
  std::function<bool()> wanted_;
  absl::AnyInvocable<void(absl::StatusOr<ComparisonResult>)> done_;
  absl::Duration began_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISONS_H_
