#include "filestorage/saved_tail.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kRecordTransactionOffset = 24;  // in a data record's header
constexpr size_t kGate = 8;                      // of an announcement: the length's first byte
// Beyond any position and length of a real file, and far from where sums overflow.
constexpr uint64_t kBeyond = uint64_t{1} << 56;
// Transactions that are looked at for a record.
constexpr int kMostTransactions = 1000;

// Whether the header may be a transaction's, once it is finished.
bool IsPlausible(const TransactionHeader& header) {
  return IsFinalStatus(header.status) && header.length >= header.HeaderAndStringsSize() && header.length < kBeyond;
}

absl::Status NoTail(const File& file) {
  return absl::InvalidArgumentError(absl::StrCat("reading ", file.path(), ": it is neither a FileStorage nor a saved ",
                                                 "tail of one (Data.fs.tr0 and so on); check the path"));
}

absl::Status ReadOnly(const File& file) {
  return absl::FailedPreconditionError(absl::StrCat("a saved tail, ", file.path(), ", is only read"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SavedTail>> SavedTail::Open(std::unique_ptr<File> file) {
  std::unique_ptr<SavedTail> tail(new SavedTail(std::move(file)));
  if (absl::Status found = tail->FindCut(); !found.ok()) return found;
  return tail;
}

absl::Status SavedTail::FindCut() {
  uint64_t offset = 0;
  for (int number = 0; number < kMostTransactions; ++number) {
    const absl::StatusOr<std::string> bytes = ReadFinishedHeader(offset);
    if (!bytes.ok()) return bytes.status();
    const bool plausible = !bytes->empty() && IsPlausible(DecodeTransactionHeader(*bytes));
    const TransactionHeader header = plausible ? DecodeTransactionHeader(*bytes) : TransactionHeader{};
    const uint64_t strings = header.HeaderAndStringsSize();
    std::string record(1 + kDataHeaderSize, '\0');
    const absl::StatusOr<size_t> read = file_->ReadAt(offset + strings - 1, absl::MakeSpan(record));
    if (!read.ok()) return read.status();
    // The strings' last byte is there too.
    const bool whole = plausible && *read > 0;
    if (!whole) return number > 0 ? absl::OkStatus() : NoTail(*file_);
    if (header.status != kStatusUndone && header.length > strings) {
      if (*read < record.size()) return absl::OkStatus();
      const uint64_t position = DecodeUint64(absl::string_view(record).substr(1 + kRecordTransactionOffset));
      const bool possible = position >= offset + kMagicSize && position < kBeyond;
      if (possible) cut_at_ = position - offset;
      return possible || number > 0 ? absl::OkStatus() : NoTail(*file_);
    }
    offset += header.length + kLengthSize;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SavedTail::ReadFinishedHeader(uint64_t offset) {
  std::string bytes(kTransactionHeaderSize, '\0');
  const absl::StatusOr<size_t> read = file_->ReadAt(offset, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  if (*read < bytes.size()) return std::string();
  char& status = bytes[kTransactionStatusOffset];
  if (!IsFinalStatus(bytes[kGate])) {
    if (status == kStatusInProgress) status = kStatusComplete;
    return bytes;
  }
  // An announcement has the real status in the length's first byte, and the tid of the transaction before.
  status = bytes[kGate];
  bytes[kGate] = '\0';
  const uint64_t strings = DecodeTransactionHeader(bytes).HeaderAndStringsSize();
  std::string record(kDataHeaderSize, '\0');
  const absl::StatusOr<size_t> record_read = file_->ReadAt(offset + strings, absl::MakeSpan(record));
  if (!record_read.ok()) return record_read.status();
  const bool has_record = *record_read == record.size() && DecodeTransactionHeader(bytes).length > strings;
  if (has_record) bytes.replace(0, kGate, EncodeUint64(DecodeDataHeader(record).tid));
  return bytes;
}

absl::StatusOr<bool> SavedTail::Finish(uint64_t position) {
  if (position < begin() || (position == finished_at_ && !finished_.empty())) return false;
  const absl::StatusOr<std::string> bytes = ReadFinishedHeader(position - begin());
  if (!bytes.ok()) return bytes.status();
  if (bytes->empty()) return false;
  std::string found(bytes->size(), '\0');
  if (const auto read = file_->ReadAt(position - begin(), absl::MakeSpan(found)); !read.ok()) return read.status();
  if (found == *bytes) return false;
  finished_at_ = position;
  finished_ = *bytes;
  return true;
}

absl::StatusOr<size_t> SavedTail::ReadAt(uint64_t offset, absl::Span<char> out) {
  if (offset < begin()) return size_t{0};
  const absl::StatusOr<size_t> read = file_->ReadAt(offset - begin(), out);
  if (!read.ok() || finished_.empty()) return read;
  const uint64_t from = std::max(offset, finished_at_);
  const uint64_t to = std::min(offset + *read, finished_at_ + finished_.size());
  for (uint64_t at = from; at < to; ++at) out[at - offset] = finished_[at - finished_at_];
  return read;
}

absl::StatusOr<FileInfo> SavedTail::Stat() {
  absl::StatusOr<FileInfo> info = file_->Stat();
  if (info.ok()) info->size += begin();
  return info;
}

absl::Status SavedTail::WriteAt(uint64_t /*offset*/, absl::string_view /*data*/) { return ReadOnly(*file_); }
absl::Status SavedTail::Truncate(uint64_t /*size*/) { return ReadOnly(*file_); }
absl::Status SavedTail::Sync() { return ReadOnly(*file_); }
absl::Status SavedTail::SetAccess(const FileAccess& /*access*/) { return ReadOnly(*file_); }
absl::Status SavedTail::LockExclusively() { return ReadOnly(*file_); }

}  // namespace zrs::filestorage
