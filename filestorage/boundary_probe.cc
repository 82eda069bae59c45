#include "filestorage/boundary_probe.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "absl/strings/string_view.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kReadSize = 256 << 10;

using Answer = BoundaryProbe::Answer;

// None where the file is too short, or is no FileStorage.
absl::StatusOr<std::optional<Magic>> FindMagic(ReadFunction read_at) {
  std::array<char, kMagicSize> bytes;
  const absl::StatusOr<size_t> read = read_at(0, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  const absl::StatusOr<Magic> magic = ParseMagic(absl::string_view(bytes.data(), *read));
  return magic.ok() ? std::optional<Magic>(*magic) : std::nullopt;
}

}  // namespace

BoundaryProbe::BoundaryProbe(const Boundary& boundary, std::optional<Magic> magic)
    : boundary_(boundary), magic_(magic) {}

absl::StatusOr<Answer> BoundaryProbe::Step(ReadFunction read_at, uint64_t most) {
  absl::StatusOr<Answer> answer = Answer::kNotYet;
  if (!scanner_) answer = Begin(read_at);
  const uint64_t before = bytes_read_;
  while (answer.ok() && *answer == Answer::kNotYet && bytes_read_ - before < most) answer = ReadOn(read_at);
  return answer;
}

absl::StatusOr<Answer> BoundaryProbe::Begin(ReadFunction read_at) {
  if (boundary_.offset < kMagicSize) return Answer::kNotThere;
  const absl::StatusOr<std::optional<Magic>> magic = FindMagic(read_at);
  if (!magic.ok()) return magic.status();
  if (!*magic || (magic_ && **magic != *magic_)) return Answer::kNotThere;
  if (boundary_.offset == kMagicSize) {
    return boundary_ == FirstBoundary(**magic) ? Answer::kThere : Answer::kNotThere;
  }
  if (boundary_.last_offset < kMagicSize || boundary_.last_offset >= boundary_.offset) return Answer::kNotThere;
  Boundary start;
  start.offset = boundary_.last_offset;
  scanner_.emplace(**magic, start);
  return Answer::kNotYet;
}

// Scans the one transaction that should fill [last_offset, offset).
absl::StatusOr<Answer> BoundaryProbe::ReadOn(ReadFunction read_at) {
  std::vector<char> buffer(static_cast<size_t>(std::min(kReadSize, boundary_.offset - scanner_->position())));
  const absl::StatusOr<size_t> read = read_at(scanner_->position(), absl::MakeSpan(buffer));
  if (!read.ok()) return read.status();
  bytes_read_ += *read;
  if (*read < buffer.size()) return Answer::kNotThere;
  if (scanner_->Feed(absl::string_view(buffer.data(), *read)).outcome != ScanOutcome::kMore) return Answer::kNotThere;
  if (scanner_->transaction_end() != 0 && scanner_->transaction_end() != boundary_.offset) return Answer::kNotThere;
  if (scanner_->position() < boundary_.offset) return Answer::kNotYet;
  // A first piece of several small transactions ends here too: then the last one does not begin where it should.
  return scanner_->last() == boundary_ ? Answer::kThere : Answer::kNotThere;
}

absl::StatusOr<bool> HasBoundary(ReadFunction read_at, Magic magic, const Boundary& boundary) {
  const absl::StatusOr<Answer> answer =
      BoundaryProbe(boundary, magic).Step(read_at, std::numeric_limits<uint64_t>::max());
  if (!answer.ok()) return answer.status();
  return *answer == Answer::kThere;
}

absl::StatusOr<bool> HasBoundary(File& file, Magic magic, const Boundary& boundary) {
  return HasBoundary([&file](uint64_t offset, absl::Span<char> out) { return file.ReadAt(offset, out); }, magic,
                     boundary);
}

}  // namespace zrs::filestorage
