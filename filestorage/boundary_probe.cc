#include "filestorage/boundary_probe.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kReadSize = 256 << 10;

absl::StatusOr<bool> HasMagic(ReadFunction read_at, Magic magic) {
  std::array<char, kMagicSize> bytes;
  const absl::StatusOr<size_t> read = read_at(0, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  return absl::string_view(bytes.data(), *read) == MagicBytes(magic);
}

// Scans the one transaction that should fill [last_offset, offset).
absl::StatusOr<bool> HasLastTransaction(ReadFunction read_at, Magic magic, const Boundary& boundary) {
  Boundary start;
  start.offset = boundary.last_offset;
  Scanner scanner(magic, start);
  std::vector<char> buffer(static_cast<size_t>(std::min(kReadSize, boundary.offset - boundary.last_offset)));
  while (scanner.position() < boundary.offset) {
    const uint64_t size = std::min<uint64_t>(buffer.size(), boundary.offset - scanner.position());
    const absl::StatusOr<size_t> read =
        read_at(scanner.position(), absl::MakeSpan(buffer).subspan(0, static_cast<size_t>(size)));
    if (!read.ok()) return read.status();
    if (*read < size) return false;
    if (scanner.Feed(absl::string_view(buffer.data(), *read)).outcome != ScanOutcome::kMore) return false;
    if (scanner.transaction_end() != 0 && scanner.transaction_end() != boundary.offset) return false;
  }
  // A first piece of several small transactions ends here too: then the last one does not begin where it should.
  return scanner.last() == boundary;
}

}  // namespace

absl::StatusOr<bool> HasBoundary(ReadFunction read_at, Magic magic, const Boundary& boundary) {
  if (boundary.offset < kMagicSize) return false;
  absl::StatusOr<bool> has_magic = HasMagic(read_at, magic);
  if (!has_magic.ok() || !*has_magic) return has_magic;
  if (boundary.offset == kMagicSize) return boundary == FirstBoundary(magic);
  if (boundary.last_offset < kMagicSize || boundary.last_offset >= boundary.offset) return false;
  return HasLastTransaction(read_at, magic, boundary);
}

absl::StatusOr<bool> HasBoundary(File& file, Magic magic, const Boundary& boundary) {
  return HasBoundary([&file](uint64_t offset, absl::Span<char> out) { return file.ReadAt(offset, out); }, magic,
                     boundary);
}

}  // namespace zrs::filestorage
