// Compares a copy with its upstream's file by digests of ranges, while both go on, and finds the first difference.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COPY_COMPARISON_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COPY_COMPARISON_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"
#include "filestorage/transaction_probe.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/range_chain.h"
#include "sidecar/runtime/byte_rate.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/secondary/comparison/upstream_inspector.h"

namespace zrs::storage {

// This side's file.
struct ComparedFile {
  filestorage::Magic magic = filestorage::Magic::kFs30;
  uint64_t end = 0;  // only what is before is looked at
  // As File::ReadAt; on the I/O thread.
  std::function<absl::StatusOr<size_t>(uint64_t offset, absl::Span<char> out)> read;
};

struct ComparisonResult {
  InspectedFile upstream;
  // All before it is the same on both sides, and its transactions are sound.
  filestorage::Boundary same;
  // The first byte that differs; nothing where all that both have, before this side's and the upstream's end, is the
  // same.
  std::optional<uint64_t> difference;
  // The transaction behind `same`, on either side; DataLoss where there is none that is sound, NotFound where the file
  // ends at `same`.
  absl::StatusOr<filestorage::ProbedTransaction> here = absl::NotFoundError("");
  absl::StatusOr<filestorage::ProbedTransaction> there = absl::NotFoundError("");
  // What is no FileStorage's though it is the same on both sides; empty where there is nothing of the kind.
  std::string unsound;

  // Whether this side's file differs from the upstream's, has more than that, or is no FileStorage.
  bool differs() const { return difference.has_value() || !unsound.empty() || !absl::IsNotFound(here.status()); }
};

// Everything on the strand.
class CopyComparison : public std::enable_shared_from_this<CopyComparison> {
 public:
  struct Hooks {
    // Whether files of these lineages may be compared at all: an error is the result of the comparison.
    std::function<absl::Status(const InspectedFile& upstream)> check;
    // Where all of this side's file is the same as the upstream's: what that is told to be, before `done`. Null:
    // nothing. Its proof is filled in.
    std::function<v1::Vouch()> vouch;
    // Unless Cancel came before. Errors: as UpstreamInspector's; those of reading this side's file are Internal.
    absl::AnyInvocable<void(absl::StatusOr<ComparisonResult>)> done;
  };

  // Begins at `from`, a boundary up to which the files are known to be the same. At most `rate` bytes per second, on
  // average; 0: as fast as it goes. What `file` reads from, and `runtime`, outlive its last task on the I/O thread.
  CopyComparison(runtime::Runtime& runtime, ComparedFile file, const filestorage::Boundary& from, uint64_t rate,
                 std::shared_ptr<UpstreamInspector> upstream, Hooks hooks);

  void Start();
  void Cancel();

  // For progress: where it began, where it is, and where it will end (0: not known yet).
  uint64_t start() const { return start_; }
  uint64_t position() const { return position_; }
  uint64_t end() const { return end_; }
  // Up to where all is known to be the same.
  const filestorage::Boundary& same() const { return result_.same; }

 private:
  using Compared = absl::AnyInvocable<void(bool equal)>;
  void OnUpstream(const InspectedFile& upstream);
  // No transaction has it, and every one that reads the file needs it.
  void CompareMagic();
  void OnMagicDiffers(uint64_t difference);
  void Next();
  void CompareNext(uint64_t size);
  // Digests of both sides; `also` as RangeToDigest's, of this side's bytes.
  void Compare(uint64_t begin, uint64_t end, std::function<void(absl::string_view)> also, Compared compared);
  void TakeDigest(absl::StatusOr<filestorage::Digest>* place, absl::StatusOr<filestorage::Digest> digest);
  void Feed(absl::string_view bytes);
  void OnEqual(uint64_t end);
  // The bytes from `begin` to `end` differ somewhere.
  void Narrow(uint64_t begin, uint64_t end);
  void FindBoundary(uint64_t difference);
  // Of the transactions behind what is the same.
  void LookHere();
  void LookThere();
  uint64_t looked_at() const;
  void Finish();
  void Vouch();
  void Fail(absl::Status status);

  runtime::Runtime& runtime_;
  const ComparedFile file_;
  const uint64_t start_;
  const uint64_t range_;  // bytes that are compared at a time
  runtime::ByteRate rate_;
  std::shared_ptr<UpstreamInspector> upstream_;
  Hooks hooks_;
  bool over_ = false;
  ComparisonResult result_;
  uint64_t position_;
  uint64_t end_ = 0;
  replication::RangeChain chain_;
  // Strand and I/O thread in turns.
  std::optional<filestorage::Scanner> scanner_;
  std::string unsound_;  // as the result's, in the bytes that are being compared too
  std::string magic_;    // what this side's file begins with
  std::unique_ptr<runtime::Timer> timer_;
  // The comparison of one range.
  absl::StatusOr<filestorage::Digest> ours_ = absl::UnknownError("");
  absl::StatusOr<filestorage::Digest> theirs_ = absl::UnknownError("");
  int missing_ = 0;  // of the two
  Compared compared_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COPY_COMPARISON_H_
