#include "tests/support/file_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "tests/support/encode.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::Magic;

std::string EncodeRecord(const RecordSpec& record, filestorage::Tid tid, uint64_t transaction_position) {
  std::string out = tests::EncodeDataHeader({.oid = record.oid,
                                             .tid = tid,
                                             .previous = record.previous.value_or(0),
                                             .transaction_position = transaction_position,
                                             .version_length = static_cast<uint16_t>(record.version.size()),
                                             .data_length = record.data.size()});
  if (!record.version.empty()) {
    absl::StrAppend(&out, std::string(filestorage::kVersionPositionsSize, '\x07'), record.version);
  }
  absl::StrAppend(&out, record.data.empty() ? filestorage::EncodeUint64(record.back_pointer) : record.data);
  return out;
}

filestorage::TransactionHeader HeaderOf(const TransactionSpec& transaction) {
  return {.tid = transaction.tid,
          .length = 0,
          .status = transaction.status,
          .user_length = static_cast<uint16_t>(transaction.user.size()),
          .description_length = static_cast<uint16_t>(transaction.description.size()),
          .extension_length = static_cast<uint16_t>(transaction.extension.size())};
}

}  // namespace

std::string EncodeTransaction(const TransactionSpec& transaction, uint64_t offset) {
  std::string body = absl::StrCat(transaction.user, transaction.description, transaction.extension);
  for (const RecordSpec& record : transaction.records) {
    absl::StrAppend(&body, EncodeRecord(record, transaction.tid, offset));
  }
  filestorage::TransactionHeader header = HeaderOf(transaction);
  header.length = filestorage::kTransactionHeaderSize + body.size();
  return absl::StrCat(tests::EncodeTransactionHeader(header), body, filestorage::EncodeUint64(header.length));
}

FileBuilder::FileBuilder(Magic magic)
    : magic_(magic), bytes_(filestorage::MagicBytes(magic)), boundaries_{filestorage::FirstBoundary(magic)} {}

FileBuilder& FileBuilder::Add(TransactionSpec transaction) {
  const uint64_t begin = bytes_.size();
  uint64_t position = begin + HeaderOf(transaction).HeaderAndStringsSize();
  for (RecordSpec& record : transaction.records) {
    if (!record.previous.has_value()) record.previous = record_position(record.oid);
    record_positions_[record.oid] = position;
    position += EncodeRecord(record, transaction.tid, begin).size();
  }
  const std::string encoded = EncodeTransaction(transaction, begin);
  bytes_ += encoded;
  boundaries_.push_back({.offset = bytes_.size(),
                         .last_offset = begin,
                         .tid = transaction.tid,
                         .digest = filestorage::DigestOf(absl::StrCat(filestorage::MagicBytes(magic_), encoded))});
  return *this;
}

FileBuilder& FileBuilder::AddMany(size_t count, size_t data_size) {
  for (size_t i = 0; i < count; ++i) {
    const size_t n = boundaries_.size();
    TransactionSpec transaction{.tid = std::max(TestTid(n), end().tid + 1),
                                .status = filestorage::kStatusComplete,
                                .user = absl::StrCat("user", n),
                                .description = absl::StrCat("transaction ", n),
                                .extension = {},
                                .records = {}};
    for (size_t r = 0; r < n % 3 + 1; ++r) {
      std::string data = absl::StrCat("n", n, "r", r, ".");
      while (data.size() < data_size) data += data;
      data.resize(std::max<size_t>(data_size, 1));
      transaction.records.push_back(
          {.oid = r + n % 7, .data = std::move(data), .back_pointer = 0, .previous = {}, .version = {}});
    }
    Add(std::move(transaction));
  }
  return *this;
}

absl::string_view FileBuilder::transaction(size_t n) const {
  return absl::string_view(bytes_).substr(boundaries_.at(n - 1).offset,
                                          boundaries_.at(n).offset - boundaries_.at(n - 1).offset);
}

uint64_t FileBuilder::record_position(uint64_t oid) const {
  const auto found = record_positions_.find(oid);
  return found == record_positions_.end() ? 0 : found->second;
}

filestorage::Tid TestTid(uint64_t n) {
  // 2024-05-01 00:00 UTC and n minutes, of which each 31-day month of the time stamp's calendar has 44,640.
  const uint64_t minutes = ((uint64_t{2024 - 1900} * 12 + 4) * 31) * 24 * 60 + n / 60;
  const uint64_t fraction = (n % 60 << 32) / 60;
  return minutes << 32 | fraction;
}

}  // namespace zrs::tests
