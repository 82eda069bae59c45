#include "filestorage/scanner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

// File offsets are signed in the operating system.
constexpr uint64_t kLargestOffset = std::numeric_limits<int64_t>::max();

// A record has at least one byte of data, or a back pointer.
constexpr uint64_t kSmallestRecord = kDataHeaderSize + 1;

// The sizes below are sums of a few terms below 2^17 and at most one arbitrary 64-bit length: none of them overflows
// because that length is compared with the room for it first.
uint64_t BodyOverhead(const DataHeader& header) {
  return header.version_length == 0 ? 0 : kVersionPositionsSize + header.version_length;
}

uint64_t DataSize(const DataHeader& header) { return header.data_length == 0 ? kBackPointerSize : header.data_length; }

// Whether the record fits `room`, which lies behind its header.
bool Fits(const DataHeader& header, uint64_t room) {
  const uint64_t overhead = BodyOverhead(header);
  return overhead <= room && DataSize(header) <= room - overhead;
}

// Of a transaction that is there as a whole. What is read of it is within its length, which was compared with the bytes
// that are there before; so these go by pointers, without a view's own checks: of a file of tiny transactions each
// instruction here counts.

// Calls `visit` with each record's place within the transaction at `begin`, all of which is sound, and its header.
template <typename Visit>
void ForEachRecord(const char* begin, const TransactionHeader& header, Visit visit) {
  uint64_t position = header.HeaderAndStringsSize();
  while (position != header.length) {
    const DataHeader record = DecodeDataHeader(absl::string_view(begin + position, kDataHeaderSize));
    visit(position, record);
    position += kDataHeaderSize + BodyOverhead(record) + DataSize(record);
  }
}

// The number of records of the transaction at `begin`, which is at `offset` of the file; nothing unless it is sound.
std::optional<uint64_t> CountRecords(const char* begin, const TransactionHeader& header, uint64_t offset) {
  uint64_t records = 0;
  uint64_t left = header.length - header.HeaderAndStringsSize();
  while (left != 0) {
    if (left < kSmallestRecord) return std::nullopt;
    const DataHeader record = DecodeDataHeader(absl::string_view(begin + (header.length - left), kDataHeaderSize));
    left -= kDataHeaderSize;
    if (record.transaction_position != offset || !Fits(record, left)) return std::nullopt;
    left -= BodyOverhead(record) + DataSize(record);
    ++records;
  }
  return records;
}

}  // namespace

Scanner::Scanner(Magic magic, const Boundary& start, ScannerObserver* observer, RecordObserver* records)
    : magic_(magic),
      last_(start.offset == 0 ? FirstBoundary(magic) : start),
      position_(last_.offset),
      observer_(observer),
      record_observer_(records) {}

uint64_t Scanner::transaction_end() const {
  const bool header_known = step_ == Step::kSkip || step_ == Step::kDataHeader || step_ == Step::kRedundantLength;
  return header_known ? last_.offset + header_.length + kLengthSize : 0;
}

ScanResult Scanner::Feed(absl::string_view bytes) {
  const uint64_t feed_begin = position_;
  const uint64_t last_before = last_.offset;
  absl::string_view left = bytes;
  while (!left.empty() && step_ != Step::kStopped) {
    switch (step_) {
      case Step::kTransactionHeader:
        TakeWholeTransactions(&left);
        if (!left.empty()) TakeTransactionHeader(&left);
        break;
      case Step::kSkip:
        Skip(&left);
        break;
      case Step::kDataHeader:
        TakeDataHeader(&left);
        break;
      case Step::kRedundantLength:
        TakeRedundantLength(&left);
        break;
      case Step::kStopped:
        break;
    }
  }
  if (step_ != Step::kStopped || last_.offset != last_before) UpdateDigest(bytes, feed_begin);
  if (step_ == Step::kStopped) return stopped_;
  return {.outcome = ScanOutcome::kMore, .position = position_, .reason = {}};
}

void Scanner::UpdateDigest(absl::string_view bytes, uint64_t feed_begin) {
  absl::string_view unfinished = bytes;
  if (last_.offset > feed_begin) {
    const bool whole = last_.last_offset >= feed_begin;
    const size_t begin = whole ? static_cast<size_t>(last_.last_offset - feed_begin) : 0;
    const size_t end = static_cast<size_t>(last_.offset - feed_begin);
    if (whole) {
      digester_.Reset();
      digester_.Update(MagicBytes(magic_));
    }
    digester_.Update(bytes.substr(begin, end - begin));
    last_.digest = last_.last_offset == unread_transaction_ ? Digest{} : digester_.Finish();
    unfinished.remove_prefix(end);
  }
  if (step_ == Step::kStopped || unfinished.empty()) return;
  if (feed_begin <= last_.offset) {
    digester_.Reset();
    digester_.Update(MagicBytes(magic_));
  }
  digester_.Update(unfinished);
}

std::optional<absl::string_view> Scanner::Gather(size_t size, absl::string_view* bytes) {
  if (gathered_size_ == 0 && bytes->size() >= size) {
    const absl::string_view whole = bytes->substr(0, size);
    bytes->remove_prefix(size);
    position_ += size;
    return whole;
  }
  const size_t taken = bytes->copy(gathered_.data() + gathered_size_, size - gathered_size_);
  bytes->remove_prefix(taken);
  position_ += taken;
  gathered_size_ += taken;
  if (gathered_size_ < size) return std::nullopt;
  gathered_size_ = 0;
  return absl::string_view(gathered_.data(), size);
}

inline void Scanner::CompleteTransaction(const TransactionHeader& header, uint64_t records) {
  ++transactions_;
  if (header.tid <= last_.tid) ++decreasing_tids_;
  last_.last_offset = last_.offset;
  last_.offset = position_;
  last_.tid = header.tid;
  if (observer_ == nullptr) return;
  observer_->OnTransaction({.offset = last_.last_offset,
                            .end = last_.offset,
                            .tid = header.tid,
                            .status = header.status,
                            .records = records});
}

void Scanner::TakeWholeTransactions(absl::string_view* bytes) {
  if (gathered_size_ > 0) return;
  const char* begin = bytes->data();
  const char* const end = begin + bytes->size();
  while (static_cast<size_t>(end - begin) >= kTransactionHeaderSize + kLengthSize) {
    const TransactionHeader header = DecodeTransactionHeader(absl::string_view(begin, kTransactionHeaderSize));
    if (header.status != kStatusComplete && header.status != kStatusPacked) break;
    const uint64_t room = static_cast<uint64_t>(end - begin) - kLengthSize;
    if (header.length < header.HeaderAndStringsSize() || header.length > room) break;
    if (position_ > kLargestOffset - header.length - kLengthSize) break;
    if (DecodeUint64At(begin + header.length) != header.length) break;
    const std::optional<uint64_t> records = CountRecords(begin, header, position_);
    if (!records.has_value()) break;
    if (record_observer_ != nullptr) {
      ForEachRecord(begin, header, [this](uint64_t within, const DataHeader& record) {
        record_observer_->OnRecord(position_ + within, record);
      });
    }
    begin += header.length + kLengthSize;
    position_ += header.length + kLengthSize;
    CompleteTransaction(header, *records);
  }
  bytes->remove_prefix(static_cast<size_t>(begin - bytes->data()));
}

void Scanner::TakeTransactionHeader(absl::string_view* bytes) {
  const std::optional<absl::string_view> raw = Gather(kTransactionHeaderSize, bytes);
  if (!raw.has_value()) return;
  const uint64_t begin = last_.offset;
  const TransactionHeader header = DecodeTransactionHeader(*raw);
  if (header.status == kStatusInProgress) return StopInProgress();
  if (!IsFinalStatus(header.status)) {
    return StopCorrupt(begin, absl::StrCat("a transaction has the invalid status '",
                                           absl::CHexEscape(absl::string_view(&header.status, 1)), "'"));
  }
  if (header.length < header.HeaderAndStringsSize()) {
    return StopCorrupt(begin,
                       absl::StrCat("a transaction's length is ", header.length, ", but its header and strings have ",
                                    header.HeaderAndStringsSize(), " bytes"));
  }
  if (header.length > kLargestOffset - kLengthSize - std::min(begin, kLargestOffset - kLengthSize)) {
    return StopCorrupt(
        begin, absl::StrCat("a transaction's length is ", header.length, ", past the end of any possible file"));
  }
  header_ = header;
  records_ = 0;
  const bool skip_records = header.status == kStatusUndone;
  skip_left_ = (skip_records ? header.length : header.HeaderAndStringsSize()) - kTransactionHeaderSize;
  NextStep();
}

void Scanner::NextStep() {
  const uint64_t end = last_.offset + header_.length;
  if (skip_left_ > 0) {
    step_ = Step::kSkip;
  } else if (position_ == end) {
    step_ = Step::kRedundantLength;
  } else if (end - position_ >= kSmallestRecord) {
    step_ = Step::kDataHeader;
  } else {
    StopCorrupt(position_, absl::StrCat("a transaction's records do not add up to its length: ", end - position_,
                                        " bytes are left, too few for a record"));
  }
}

void Scanner::Skip(absl::string_view* bytes) {
  const uint64_t size = std::min<uint64_t>(skip_left_, bytes->size());
  bytes->remove_prefix(static_cast<size_t>(size));
  Advance(size);
}

void Scanner::PassOver(uint64_t size) {
  size = std::min(size, skippable());
  if (size == 0) return;
  unread_transaction_ = last_.offset;
  Advance(size);
}

void Scanner::Advance(uint64_t size) {
  position_ += size;
  skip_left_ -= size;
  if (skip_left_ == 0) NextStep();
}

void Scanner::TakeDataHeader(absl::string_view* bytes) {
  const std::optional<absl::string_view> raw = Gather(kDataHeaderSize, bytes);
  if (!raw.has_value()) return;
  const uint64_t begin = position_ - kDataHeaderSize;
  const DataHeader header = DecodeDataHeader(*raw);
  if (header.transaction_position != last_.offset) {
    return StopCorrupt(begin, absl::StrCat("a data record says that its transaction begins at ",
                                           header.transaction_position, ", not at ", last_.offset));
  }
  const uint64_t room = last_.offset + header_.length - position_;
  if (!Fits(header, room)) {
    return StopCorrupt(begin, absl::StrCat("a data record with ", DataSize(header),
                                           " bytes of data (or back pointer) extends past its transaction's end at ",
                                           last_.offset + header_.length));
  }
  ++records_;
  if (record_observer_ != nullptr) record_observer_->OnRecord(begin, header);
  skip_left_ = BodyOverhead(header) + DataSize(header);
  NextStep();
}

void Scanner::TakeRedundantLength(absl::string_view* bytes) {
  const std::optional<absl::string_view> raw = Gather(kLengthSize, bytes);
  if (!raw.has_value()) return;
  const uint64_t length = DecodeUint64(*raw);
  if (length != header_.length) {
    return StopCorrupt(position_ - kLengthSize, absl::StrCat("the redundant length behind a transaction is ", length,
                                                             ", but its header says ", header_.length));
  }
  step_ = Step::kTransactionHeader;
  CompleteTransaction(header_, records_);
}

void Scanner::StopInProgress() {
  position_ = last_.offset;
  step_ = Step::kStopped;
  stopped_ = {.outcome = ScanOutcome::kInProgress, .position = position_, .reason = {}};
}

void Scanner::StopCorrupt(uint64_t position, std::string reason) {
  step_ = Step::kStopped;
  stopped_ = {.outcome = ScanOutcome::kCorrupt, .position = position, .reason = std::move(reason)};
}

}  // namespace zrs::filestorage
