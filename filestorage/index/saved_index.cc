#include "filestorage/index/saved_index.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/committed_scan.h"

namespace zrs::filestorage {
namespace {

// As in ZODB: an index of less is none, and so many records are looked at.
constexpr uint64_t kLeastPosition = 100;
constexpr size_t kMostRecords = 5;
// Transactions without records that are passed over, which ZODB does without an end.
constexpr int kMostEmptyTransactions = 1000;

}  // namespace

SavedIndex::SavedIndex(std::string path, std::unique_ptr<IndexReader> reader)
    : path_(std::move(path)), reader_(std::move(reader)) {}

absl::StatusOr<std::unique_ptr<SavedIndex>> SavedIndex::Open(FileSystem& file_system, const std::string& path,
                                                             File& data) {
  // Opening a pipe would wait for its writer.
  const absl::StatusOr<FileInfo> info = file_system.Stat(path);
  if (!info.ok()) return info.status();
  if (!info->is_regular) return absl::InvalidArgumentError(absl::StrCat("reading ", path, ": it is no regular file"));
  absl::StatusOr<std::unique_ptr<File>> file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<IndexReader>> reader = IndexReader::Open(*std::move(file));
  if (!reader.ok()) return reader.status();
  std::unique_ptr<SavedIndex> saved(new SavedIndex(path, *std::move(reader)));
  if (absl::Status found = saved->FindLastRecords(data); !found.ok()) return found;
  return saved;
}

absl::StatusOr<bool> SavedIndex::Next(IndexEntry* entry) {
  const absl::StatusOr<bool> more = reader_->Next(entry);
  if (!more.ok()) return more;
  const bool expects = expected_at_ < expected_.size();
  if (expects && (!*more || entry->oid >= expected_[expected_at_].oid)) {
    const IndexEntry& expected = expected_[expected_at_];
    if (!*more || *entry != expected) {
      return Unfit(absl::StrCat("it does not have the record of oid ", absl::Hex(expected.oid, absl::kZeroPad16),
                                " at ", expected.position));
    }
    ++expected_at_;
  }
  return more;
}

absl::Status SavedIndex::FindLastRecords(File& data) {
  end_.offset = reader_->position();
  const absl::StatusOr<FileInfo> info = data.Stat();
  if (!info.ok()) return info.status();
  if (end_.offset < kLeastPosition) return Unfit("it is of hardly any transaction");
  if (end_.offset > info->size) return Unfit(absl::StrCat("the data file has ", info->size, " bytes"));
  uint64_t position = end_.offset;
  for (int passed = 0; passed < kMostEmptyTransactions; ++passed) {
    TransactionHeader header;
    if (absl::Status found = StepBack(data, &position, &header); !found.ok()) return found;
    if (passed == 0) {
      end_.last_offset = position;
      end_.tid = header.tid;
    }
    if (header.status != kStatusUndone && header.length > header.HeaderAndStringsSize()) {
      return ExpectRecords(data, position, header);
    }
  }
  return Unfit("there is no record before its position");
}

absl::Status SavedIndex::StepBack(File& data, uint64_t* position, TransactionHeader* header) const {
  if (*position < kMagicSize + kLengthSize) return Unfit("there is no record before its position");
  std::array<char, kLengthSize> bytes{};
  const absl::StatusOr<size_t> read = data.ReadAt(*position - kLengthSize, absl::MakeSpan(bytes));
  if (!read.ok()) return read.status();
  const uint64_t length = DecodeUint64(absl::string_view(bytes.data(), bytes.size()));
  const uint64_t room = *position - kLengthSize - kMagicSize;
  if (*read < bytes.size() || length > room) return Unfit(absl::StrCat("no transaction ends at ", *position));
  const uint64_t begin = *position - kLengthSize - length;
  const absl::StatusOr<std::optional<TransactionHeader>> found = ReadTransactionHeader(data, begin);
  if (!found.ok()) return found.status();
  if (!found->has_value() || (*found)->length != length || !IsFinalStatus((*found)->status) ||
      length < (*found)->HeaderAndStringsSize()) {
    return Unfit(absl::StrCat("no transaction ends at ", *position));
  }
  *position = begin;
  *header = **found;
  return absl::OkStatus();
}

absl::Status SavedIndex::ExpectRecords(File& data, uint64_t position, const TransactionHeader& header) {
  const uint64_t end = position + header.length;
  uint64_t record = position + header.HeaderAndStringsSize();
  while (record < end && expected_.size() < kMostRecords) {
    std::array<char, kDataHeaderSize> bytes{};
    const absl::StatusOr<size_t> read = data.ReadAt(record, absl::MakeSpan(bytes));
    if (!read.ok()) return read.status();
    const DataHeader decoded = DecodeDataHeader(absl::string_view(bytes.data(), bytes.size()));
    const uint64_t size = decoded.data_length == 0 ? kBackPointerSize : decoded.data_length;
    if (*read < bytes.size() || decoded.version_length != 0 || decoded.transaction_position != position ||
        end - record < kDataHeaderSize || size > end - record - kDataHeaderSize) {
      return Unfit(absl::StrCat("no record begins at ", record));
    }
    expected_.push_back({.oid = decoded.oid, .position = record});
    record += kDataHeaderSize + size;
  }
  std::sort(expected_.begin(), expected_.end(), [](const IndexEntry& a, const IndexEntry& b) { return a.oid < b.oid; });
  return absl::OkStatus();
}

absl::Status SavedIndex::Unfit(absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("the index ", path_, " of position ", end_.offset, " is not of this data file: ", what));
}

}  // namespace zrs::filestorage
