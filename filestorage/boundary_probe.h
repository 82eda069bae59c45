// Proof that a file has a boundary that somebody else names.
#ifndef ZRS_FILESTORAGE_BOUNDARY_PROBE_H_
#define ZRS_FILESTORAGE_BOUNDARY_PROBE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {

// Reads at an offset as File::ReadAt does: fewer bytes than asked only at the end.
using ReadFunction = absl::FunctionRef<absl::StatusOr<size_t>(uint64_t offset, absl::Span<char> out)>;

// Whether a file has exactly `boundary`: one sound, committed transaction from last_offset to offset, with its tid and
// digest; at offset 4 the magic alone. Not there is everything that differs, also a file that is too short and a
// boundary that no file can have (last_offset not below offset, offset 0). A piece at a time, for those who are not the
// only ones to read. Not thread-safe.
class BoundaryProbe {
 public:
  enum class Answer { kNotYet, kThere, kNotThere };

  // Of a file of this magic; nullopt: of any FileStorage.
  explicit BoundaryProbe(const Boundary& boundary, std::optional<Magic> magic = std::nullopt);

  // Reads on from where the last step ended, in pieces of 256 KiB: no more than `most` bytes (rounded up to a piece),
  // and no more than needed to tell. Blocks. An error is one of reading, and the probe is of no more use then.
  absl::StatusOr<Answer> Step(ReadFunction read_at, uint64_t most);
  // Of the transaction, so far.
  uint64_t bytes_read() const { return bytes_read_; }
  const Boundary& boundary() const { return boundary_; }

 private:
  absl::StatusOr<Answer> Begin(ReadFunction read_at);
  absl::StatusOr<Answer> ReadOn(ReadFunction read_at);

  const Boundary boundary_;
  const std::optional<Magic> magic_;
  std::optional<Scanner> scanner_;  // once begun
  uint64_t bytes_read_ = 0;
};

// The same at once.
absl::StatusOr<bool> HasBoundary(ReadFunction read_at, Magic magic, const Boundary& boundary);
absl::StatusOr<bool> HasBoundary(File& file, Magic magic, const Boundary& boundary);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_BOUNDARY_PROBE_H_
