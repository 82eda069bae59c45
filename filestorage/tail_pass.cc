#include "filestorage/tail_pass.h"

#include <algorithm>
#include <limits>

#include "filestorage/boundary_probe.h"

namespace zrs::filestorage {
namespace {

bool IsCommittedStatus(char status) {
  return status == kStatusComplete || status == kStatusPacked || status == kStatusUndone;
}

// Where the transaction ends, redundant length included; nothing where the header is unsound.
std::optional<uint64_t> EndOf(uint64_t offset, const TransactionHeader& header) {
  if (!IsCommittedStatus(header.status) || header.length < header.HeaderAndStringsSize()) return std::nullopt;
  // File offsets are signed in the operating system.
  const uint64_t room = std::numeric_limits<int64_t>::max() - offset - kLengthSize;
  if (header.length > room) return std::nullopt;
  return offset + header.length + kLengthSize;
}

PassResult Pending(std::string header) { return {.outcome = PassOutcome::kPending, .header = std::move(header)}; }

}  // namespace

TailPass::TailPass(File& file, Magic magic, const TailOptions& options)
    : file_(file),
      magic_(magic),
      max_bytes_(std::max<uint64_t>(options.max_bytes_per_poll, 1)),
      buffer_size_(static_cast<size_t>(std::max<uint64_t>(options.read_size, kTransactionHeaderSize))),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_size_)) {}

absl::StatusOr<size_t> TailPass::ReadBlock(uint64_t offset, uint64_t limit) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>(limit, buffer_size_));
  return file_.ReadAt(offset, absl::MakeSpan(buffer_.get(), size));
}

absl::StatusOr<bool> TailPass::IsShort(uint64_t offset, const TransactionHeader& header) {
  const std::optional<uint64_t> end = EndOf(offset, header);
  if (!end.has_value()) return false;  // unsound, which the scanner will say with its reason
  const auto info = file_.Stat();
  if (!info.ok()) return info.status();
  return *end > info->size;
}

absl::StatusOr<PassResult> TailPass::Run(const Boundary& start) {
  const auto count = ReadBlock(start.offset, kTransactionHeaderSize);
  if (!count.ok()) return count.status();
  std::string header(buffer_.get(), *count);
  if (header.size() < kTransactionHeaderSize || header[kTransactionStatusOffset] == kStatusInProgress) {
    scanner_.reset();
    return Pending(std::move(header));
  }
  const auto is_short = IsShort(start.offset, DecodeTransactionHeader(header));
  if (!is_short.ok()) return is_short.status();
  if (*is_short) {
    scanner_.reset();
    return Pending(std::move(header));
  }
  if (!scanner_.has_value() || scanner_start_ != start.offset || scanner_header_ != header) {
    scanner_.emplace(magic_, start);
    scanner_start_ = start.offset;
    scanner_header_ = header;
  }
  ScanResult scanned;
  const auto limited = ScanOn(&scanned);
  if (!limited.ok()) return limited.status();
  auto result = Conclude(start, scanned, *limited);
  if (!result.ok() || result->outcome != PassOutcome::kPartial) scanner_.reset();
  if (result.ok() && result->outcome == PassOutcome::kPending) result->header = std::move(header);
  return result;
}

absl::StatusOr<bool> TailPass::ScanOn(ScanResult* result) {
  for (uint64_t done = 0; done < max_bytes_;) {
    const auto count = ReadBlock(scanner_->position(), buffer_size_);
    if (!count.ok()) return count.status();
    *result = scanner_->Feed(absl::string_view(buffer_.get(), *count));
    if (result->outcome != ScanOutcome::kMore || *count < buffer_size_) return false;
    done += *count;
  }
  return true;
}

absl::StatusOr<PassResult> TailPass::Conclude(const Boundary& start, const ScanResult& scanned, bool limited) {
  const Boundary last = scanner_->last();
  const bool corrupt = scanned.outcome == ScanOutcome::kCorrupt;
  if (last.offset == start.offset) {
    if (limited) return PassResult{.outcome = PassOutcome::kPartial};
    if (!corrupt) return Pending({});
    return PassResult{.outcome = PassOutcome::kCorrupt, .position = scanned.position, .reason = scanned.reason};
  }
  // The first transaction was read after its status was seen; a later one has to be read again.
  if (last.last_offset != start.offset) {
    const auto confirmed = HasBoundary(file_, magic_, last);
    if (!confirmed.ok()) return confirmed.status();
    if (!*confirmed) return PassResult{.outcome = PassOutcome::kUnstable};
  }
  return PassResult{.outcome = PassOutcome::kReached,
                    .reached = last,
                    .transactions = scanner_->transactions(),
                    .decreasing_tids = scanner_->decreasing_tids(),
                    .more = limited || corrupt};
}

}  // namespace zrs::filestorage
