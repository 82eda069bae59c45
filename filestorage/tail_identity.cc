#include "filestorage/tail_identity.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

TailFinding Truncated(uint64_t size, const Boundary& end) {
  return {TailEvent::kTruncated, size,
          absl::StrCat("the file ends at ", size, ", below the committed end ", end.offset,
                       " that it had before: it was truncated")};
}

}  // namespace

absl::StatusOr<std::string> TailIdentity::ReadUpTo(uint64_t offset, uint64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  const absl::StatusOr<size_t> count = file_.ReadAt(offset, absl::MakeSpan(bytes.data(), bytes.size()));
  if (!count.ok()) return count.status();
  bytes.resize(*count);
  return bytes;
}

absl::StatusOr<std::optional<Digest>> TailIdentity::WindowDigest(const Boundary& boundary) {
  Digester digester;
  digester.Update(MagicBytes(magic_));
  if (boundary.last_offset == 0) return digester.Finish();
  const uint64_t length = boundary.offset - boundary.last_offset;
  if (length > kWindowSize) {
    const auto header = ReadUpTo(boundary.last_offset, kTransactionHeaderSize);
    if (!header.ok()) return header.status();
    if (header->size() < kTransactionHeaderSize) return std::nullopt;
    digester.Update(*header);
  }
  const uint64_t window = std::min(length, kWindowSize);
  const auto bytes = ReadUpTo(boundary.offset - window, window);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() < window) return std::nullopt;
  digester.Update(*bytes);
  return digester.Finish();
}

absl::StatusOr<std::optional<BoundaryProof>> TailIdentity::Prove(const Boundary& boundary) {
  // A transaction within the window is proved by the boundary's own digest: nothing has to be read.
  if (boundary.last_offset == 0 || boundary.offset - boundary.last_offset <= kWindowSize) {
    return BoundaryProof{boundary, boundary.digest};
  }
  const auto window = WindowDigest(boundary);
  if (!window.ok()) return window.status();
  if (!window->has_value()) return std::nullopt;
  return BoundaryProof{boundary, **window};
}

absl::StatusOr<std::optional<TailFinding>> TailIdentity::CheckName() {
  const auto mine = file_.Stat();
  if (!mine.ok()) return mine.status();
  const auto named = file_system_.Stat(file_.path());
  if (absl::IsNotFound(named.status())) {
    return TailFinding{TailEvent::kMissing, 0, absl::StrCat("there is no file ", file_.path())};
  }
  if (!named.ok()) return named.status();
  if (named->SameFile(*mine)) return std::nullopt;
  return TailFinding{
      TailEvent::kReplaced, 0,
      absl::StrCat("another file is under the name ", file_.path(), " (inode ", named->inode, ", ", named->size,
                   " bytes; it was inode ", mine->inode, ", ", mine->size, " bytes): a pack or a restored backup")};
}

absl::StatusOr<std::optional<TailFinding>> TailIdentity::CheckContents(const BoundaryProof& proof, uint64_t size) {
  const Boundary& end = proof.boundary;
  if (size < end.offset) return Truncated(size, end);
  const auto magic = ReadUpTo(0, kMagicSize);
  if (!magic.ok()) return magic.status();
  if (*magic != MagicBytes(magic_)) {
    return TailFinding{TailEvent::kOverwritten, 0, "the file's first four bytes are no longer what they were"};
  }
  const auto window = WindowDigest(end);
  if (!window.ok()) return window.status();
  if (!window->has_value()) {
    const auto now = file_.Stat();
    if (!now.ok()) return now.status();
    return Truncated(std::min(now->size, end.offset), end);
  }
  if (**window == proof.window) return std::nullopt;
  return TailFinding{TailEvent::kOverwritten, end.last_offset,
                     absl::StrCat("the transaction at ", end.last_offset, ", the last before the committed end ",
                                  end.offset, ", is no longer what it was: the file was overwritten in place")};
}

}  // namespace zrs::filestorage
