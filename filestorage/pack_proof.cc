#include "filestorage/pack_proof.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kMostOids = 100'000;
constexpr size_t kReadSize = 1 << 20;

struct FoundTransaction {
  uint64_t begin = 0;
  uint64_t end = 0;
  TransactionHeader header;
};

absl::Status ReadExactly(ReadFunction read, uint64_t offset, absl::Span<char> out) {
  const absl::StatusOr<size_t> count = read(offset, out);
  if (!count.ok()) return count.status();
  if (*count == out.size()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the file ends at ", offset + *count, ", within its committed part"));
}

// The transaction that ends at `end`, by its redundant length.
absl::StatusOr<FoundTransaction> TransactionBefore(ReadFunction read, uint64_t end) {
  char length[kLengthSize];
  if (auto status = ReadExactly(read, end - kLengthSize, absl::MakeSpan(length)); !status.ok()) return status;
  FoundTransaction found;
  found.end = end;
  const uint64_t size = DecodeUint64(absl::string_view(length, sizeof(length)));
  if (size < kTransactionHeaderSize || size > end - kLengthSize - kMagicSize) {
    return absl::DataLossError(absl::StrCat("the redundant length before ", end, " is impossible: ", size));
  }
  found.begin = end - kLengthSize - size;
  char header[kTransactionHeaderSize];
  if (auto status = ReadExactly(read, found.begin, absl::MakeSpan(header)); !status.ok()) return status;
  found.header = DecodeTransactionHeader(absl::string_view(header, sizeof(header)));
  if (found.header.length == size) return found;
  return absl::DataLossError(
      absl::StrCat("the transaction at ", found.begin, " has two lengths: ", found.header.length, " and ", size));
}

using Oids = absl::flat_hash_set<uint64_t>;

// Adds the oids of a transaction's records. False when there would be too many.
absl::StatusOr<bool> CollectOids(ReadFunction read, const FoundTransaction& transaction, Oids* oids) {
  if (transaction.header.status == kStatusUndone) return true;
  uint64_t position = transaction.begin + transaction.header.HeaderAndStringsSize();
  const uint64_t end = transaction.end - kLengthSize;
  while (position < end) {
    char bytes[kDataHeaderSize];
    if (auto status = ReadExactly(read, position, absl::MakeSpan(bytes)); !status.ok()) return status;
    const DataHeader header = DecodeDataHeader(absl::string_view(bytes, sizeof(bytes)));
    const uint64_t version = header.version_length == 0 ? 0 : kVersionPositionsSize + uint64_t{header.version_length};
    const uint64_t data = header.data_length == 0 ? kBackPointerSize : header.data_length;
    if (data > end - position) {
      return absl::DataLossError(absl::StrCat("the record at ", position, " reaches past its transaction"));
    }
    oids->insert(header.oid);
    if (oids->size() > kMostOids) return false;
    position += kDataHeaderSize + version + data;
  }
  return true;
}

// Looks for records of some objects.
class OidFinder : public RecordObserver {
 public:
  explicit OidFinder(const Oids& oids) : oids_(oids) {}
  void OnRecord(uint64_t position, const DataHeader& header) override {
    if (!found_ && oids_.contains(header.oid)) found_ = position;
  }
  const std::optional<uint64_t>& found() const { return found_; }

 private:
  const Oids& oids_;
  std::optional<uint64_t> found_;
};

// Where the first record of one of `oids` is below `end`.
absl::StatusOr<std::optional<uint64_t>> FindRecord(ReadFunction read, Magic magic, uint64_t end, const Oids& oids) {
  OidFinder finder(oids);
  Scanner scanner(magic, FirstBoundary(magic), nullptr, &finder);
  std::vector<char> buffer(static_cast<size_t>(std::min<uint64_t>(kReadSize, end)));
  while (scanner.position() < end && !finder.found()) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - scanner.position()));
    if (auto status = ReadExactly(read, scanner.position(), absl::MakeSpan(buffer).subspan(0, size)); !status.ok()) {
      return status;
    }
    const ScanResult result = scanner.Feed(absl::string_view(buffer.data(), size));
    if (result.outcome != ScanOutcome::kMore) {
      return absl::DataLossError(absl::StrCat("unsound bytes at ", result.position, ": ", result.reason));
    }
  }
  return finder.found();
}

PackProof NotProved(std::string reason) { return {PackProof::By::kNothing, std::move(reason)}; }

PackProof Proved(PackProof::By by) { return {by, ""}; }

// Rule 4. `packed`: the last packed transaction of the new file, earlier than `left`.
absl::StatusOr<PackProof> ProveGarbage(ReadFunction read_new, Magic magic, const FoundTransaction& packed,
                                       const Boundary& left, ReadFunction read_old) {
  Oids oids;
  uint64_t position = left.offset;
  for (;;) {
    if (position <= kMagicSize) {
      return NotProved(absl::StrCat("its packed transaction ", TidHex(packed.header.tid), " was not in the old file"));
    }
    const absl::StatusOr<FoundTransaction> old = TransactionBefore(read_old, position);
    if (!old.ok()) return old.status();
    if (old->header.tid == packed.header.tid) break;
    if (old->header.tid < packed.header.tid) {
      return NotProved(absl::StrCat("its packed transaction ", TidHex(packed.header.tid), " was not in the old file"));
    }
    const absl::StatusOr<bool> collected = CollectOids(read_old, *old, &oids);
    if (!collected.ok()) return collected.status();
    if (!*collected) return NotProved("too much that the old file had behind its last packed transaction is missing");
    position = old->begin;
  }
  const absl::StatusOr<std::optional<uint64_t>> kept = FindRecord(read_new, magic, packed.end, oids);
  if (!kept.ok()) return kept.status();
  if (!kept->has_value()) return Proved(PackProof::By::kGarbage);
  return NotProved(absl::StrCat("it has an older revision, at ", **kept,
                                ", of an object that the old file's last transactions changed"));
}

}  // namespace

absl::StatusOr<PackProof> ProvePack(ReadFunction read_new, Magic magic, const Boundary& end, const Boundary& left,
                                    const ReadFunction* read_old) {
  if (left.last_offset == 0) return Proved(PackProof::By::kNoTransactions);
  const std::string missing =
      absl::StrCat("the transaction ", TidHex(left.tid), ", the last that was replicated, is not in it");
  for (uint64_t position = end.offset; position > kMagicSize;) {
    const absl::StatusOr<FoundTransaction> found = TransactionBefore(read_new, position);
    if (!found.ok()) return found.status();
    const TransactionHeader& header = found->header;
    if (header.tid == left.tid) return Proved(PackProof::By::kSameTransaction);
    if (header.status == kStatusPacked) {
      if (header.tid > left.tid) return Proved(PackProof::By::kLaterPack);
      if (read_old == nullptr) return NotProved(absl::StrCat(missing, ", and the old file is gone"));
      auto garbage = ProveGarbage(read_new, magic, *found, left, *read_old);
      if (garbage.ok() && !garbage->proved()) garbage->reason = absl::StrCat(missing, ", and ", garbage->reason);
      return garbage;
    }
    if (header.tid < left.tid) break;
    position = found->begin;
  }
  return NotProved(missing);
}

}  // namespace zrs::filestorage
