// Is the file that a Tail has open still the file under its name, and does it still hold what was reported last?
// Private to tail.cc.
#ifndef ZRS_FILESTORAGE_TAIL_IDENTITY_H_
#define ZRS_FILESTORAGE_TAIL_IDENTITY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/digest.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/tail.h"

namespace zrs::filestorage {

// What is wrong with the file.
struct TailFinding {
  TailEvent event = TailEvent::kNothingYet;
  uint64_t position = 0;  // in bytes from the start of the file
  std::string reason;     // one line for a person
};

// How a boundary is recognised at each poll without reading a whole transaction, which may be of any size: by the
// transaction's header and at most its last kWindowSize bytes.
struct BoundaryProof {
  Boundary boundary;
  Digest window;
};

// Used by one thread at a time; calls block on the disk. The file system and the file must outlive it.
// An error Status is one of the operating system's; what the file says is a finding.
class TailIdentity {
 public:
  static constexpr uint64_t kWindowSize = uint64_t{64} << 10;

  TailIdentity(FileSystem& file_system, File& file, Magic magic)
      : file_system_(file_system), file_(file), magic_(magic) {}

  // Makes the proof of a boundary of the file; nothing when the file ends before it.
  absl::StatusOr<std::optional<BoundaryProof>> Prove(const Boundary& boundary);

  // kMissing or kReplaced when the name no longer leads to the file; nothing when it does.
  absl::StatusOr<std::optional<TailFinding>> CheckName();

  // kTruncated or kOverwritten when the file, `size` bytes long, no longer begins with the magic or no longer holds
  // the last transaction before the boundary; nothing when it does.
  absl::StatusOr<std::optional<TailFinding>> CheckContents(const BoundaryProof& proof, uint64_t size);

 private:
  // The digest of the window before `boundary`, preceded by the magic; nothing when the file ends before it.
  absl::StatusOr<std::optional<Digest>> WindowDigest(const Boundary& boundary);
  // The `size` bytes at `offset`, or what there is of them.
  absl::StatusOr<std::string> ReadUpTo(uint64_t offset, uint64_t size);

  FileSystem& file_system_;
  File& file_;
  const Magic magic_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TAIL_IDENTITY_H_
