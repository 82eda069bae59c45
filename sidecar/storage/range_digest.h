// The digest of a range of a file, taken without keeping the I/O thread from other work.
#ifndef ZRS_SIDECAR_STORAGE_RANGE_DIGEST_H_
#define ZRS_SIDECAR_STORAGE_RANGE_DIGEST_H_

#include <cstdint>
#include <functional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/digest.h"
#include "sidecar/runtime/runtime.h"

namespace zrs::storage {

struct RangeToDigest {
  uint64_t begin = 0;
  uint64_t end = 0;
  // As File::ReadAt; on the I/O thread.
  std::function<absl::StatusOr<size_t>(uint64_t offset, absl::Span<char> out)> read;
  // Asked on the strand before each slice: false gives up.
  std::function<bool()> wanted;
  // Given the bytes too, in their order, on the I/O thread; may be null.
  std::function<void(absl::string_view bytes)> also = nullptr;
  // Bytes that are read in one task: as long as other work of the storage may have to wait.
  uint64_t slice = 4 << 20;
};

// Call on the strand. Reads the range in slices, each a task of its own on the I/O thread; `done` comes on the
// strand, with the error of reading, DataLoss where the file ends before `end`, or Cancelled where it was given up.
// `runtime`, and what `read` and `wanted` need, outlive it.
void DigestRange(runtime::Runtime& runtime, RangeToDigest range,
                 absl::AnyInvocable<void(absl::StatusOr<filestorage::Digest>)> done);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_RANGE_DIGEST_H_
