#include "filestorage/transaction_probe.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kReadSize = 256 << 10;
constexpr uint64_t kMostParsed = 64 << 20;
constexpr uint64_t kLargestOffset = uint64_t{1} << 63;

absl::Status Unsound(uint64_t position, absl::string_view reason) {
  return absl::DataLossError(absl::StrCat("at ", position, ": ", reason));
}

absl::StatusOr<std::string> ReadExactly(ReadFunction read_at, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  const absl::StatusOr<size_t> read = read_at(offset, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  if (*read < size) return Unsound(offset + *read, "the committed bytes end within a transaction");
  return bytes;
}

// Only what the header says, and its repetition at the end.
absl::Status CheckLengths(ReadFunction read_at, uint64_t begin, const TransactionHeader& header) {
  const absl::StatusOr<std::string> again = ReadExactly(read_at, begin + header.length, kLengthSize);
  if (!again.ok()) return again.status();
  if (DecodeUint64(*again) == header.length) return absl::OkStatus();
  return Unsound(begin + header.length, absl::StrCat("redundant length ", DecodeUint64(*again),
                                                     " of a transaction of length ", header.length));
}

absl::Status Parse(ReadFunction read_at, uint64_t begin, uint64_t end) {
  Boundary start;
  start.offset = begin;
  Scanner scanner(Magic::kFs30, start);
  std::vector<char> buffer(static_cast<size_t>(std::min(kReadSize, end - begin)));
  while (scanner.position() < end) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - scanner.position()));
    const absl::StatusOr<size_t> read = read_at(scanner.position(), absl::MakeSpan(buffer).subspan(0, wanted));
    if (!read.ok()) return read.status();
    if (*read == 0) return Unsound(scanner.position(), "the committed bytes end within a transaction");
    const ScanResult result = scanner.Feed(absl::string_view(buffer.data(), *read));
    if (result.outcome != ScanOutcome::kMore) return Unsound(result.position, result.reason);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProbedTransaction> ProbeTransaction(ReadFunction read_at, uint64_t begin) {
  const absl::StatusOr<std::string> bytes = ReadExactly(read_at, begin, kTransactionHeaderSize);
  if (!bytes.ok()) return bytes.status();
  const TransactionHeader header = DecodeTransactionHeader(*bytes);
  if (header.status == kStatusInProgress) {
    return Unsound(begin + kTransactionStatusOffset, "a transaction that is marked as in progress");
  }
  if (!IsFinalStatus(header.status)) return Unsound(begin + kTransactionStatusOffset, "no status of a transaction");
  if (header.length < header.HeaderAndStringsSize() || header.length >= kLargestOffset - begin - kLengthSize) {
    return Unsound(begin + sizeof(Tid), absl::StrCat("impossible length ", header.length));
  }
  ProbedTransaction found{.begin = begin, .end = begin + header.length + kLengthSize, .tid = header.tid};
  const uint64_t strings = begin + kTransactionHeaderSize;
  absl::StatusOr<std::string> user = ReadExactly(read_at, strings, header.user_length);
  if (!user.ok()) return user.status();
  absl::StatusOr<std::string> description =
      ReadExactly(read_at, strings + header.user_length, header.description_length);
  if (!description.ok()) return description.status();
  const absl::Status sound =
      header.length > kMostParsed ? CheckLengths(read_at, begin, header) : Parse(read_at, begin, found.end);
  if (!sound.ok()) return sound;
  found.user = *std::move(user);
  found.description = *std::move(description);
  return found;
}

}  // namespace zrs::filestorage
