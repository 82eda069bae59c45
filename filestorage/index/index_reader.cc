#include "filestorage/index/index_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kReadSize = size_t{256} << 10;
constexpr size_t kEntrySize = kSuffixSize + kPositionSize;
// Of a 64-bit number, with "L" and a line feed.
constexpr size_t kLongestDecimal = 22;

uint64_t BigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

uint64_t LittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

IndexReader::IndexReader(std::unique_ptr<File> file) : file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<IndexReader>> IndexReader::Open(std::unique_ptr<File> file) {
  std::unique_ptr<IndexReader> reader(new IndexReader(std::move(file)));
  if (absl::Status read = reader->ReadPosition(); !read.ok()) return read;
  return reader;
}

absl::StatusOr<bool> IndexReader::Next(IndexEntry* entry) {
  if (bucket_at_ == bucket_.size()) {
    if (at_end_) return false;
    const absl::StatusOr<bool> more = ReadBucket();
    if (!more.ok() || !*more) return more;
  }
  *entry = bucket_[bucket_at_++];
  return true;
}

absl::Status IndexReader::ReadPosition() {
  const absl::StatusOr<absl::string_view> first = Peek(1);
  if (!first.ok()) return first.status();
  dialect_ = *first == "\x80" ? IndexDialect::kPython3 : IndexDialect::kPython2;
  if (dialect_ == IndexDialect::kPython3) {
    if (absl::Status protocol = Expect("\x80\x03"); !protocol.ok()) return protocol;
  }
  const absl::StatusOr<uint64_t> position = ReadInteger();
  if (!position.ok()) return position.status();
  if (*position < kMagicSize) return Invalid(0, absl::StrCat("the index is of position ", *position, ", below 4"));
  position_ = *position;
  return Expect(".");
}

absl::StatusOr<uint64_t> IndexReader::ReadInteger() {
  const uint64_t offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> code = Take(1);
  if (!code.ok()) return code.status();
  const char opcode = code->front();
  size_t size = opcode == 'K' ? 1 : opcode == 'M' ? 2 : opcode == 'J' ? 4 : 0;
  if (opcode == '\x8a') {
    const absl::StatusOr<absl::string_view> length = Take(1);
    if (!length.ok()) return length.status();
    size = static_cast<unsigned char>(length->front());
  } else if (dialect_ == IndexDialect::kPython2 && (opcode == 'I' || opcode == 'L')) {
    buffer_at_ -= 1;
    return ReadDecimal();
  }
  if (size == 0 || size > sizeof(uint64_t)) return Invalid(offset, "there is no position");
  const absl::StatusOr<absl::string_view> bytes = Take(size);
  if (!bytes.ok()) return bytes.status();
  const uint64_t value = LittleEndian(*bytes);
  // A pickler takes the shortest form, so that there is one for each number.
  if (value <= std::numeric_limits<int64_t>::max()) {
    const std::string expected = EncodeIndexPosition(dialect_, value);
    const size_t protocol = dialect_ == IndexDialect::kPython3 ? 2 : 0;
    const size_t taken = static_cast<size_t>(buffer_offset_ + buffer_at_ - offset);
    if (expected.size() == protocol + taken + 1 && expected[protocol] == opcode) return value;
  }
  return Invalid(offset, "the position is none that a file can have, or in a form that no pickler writes");
}

// Python 2 has numbers above 31 bits as text: "I2147483648\n", and long ones as "L2147483648L\n".
absl::StatusOr<uint64_t> IndexReader::ReadDecimal() {
  const uint64_t offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> peeked = Peek(kLongestDecimal + 1);
  if (!peeked.ok()) return peeked.status();
  const size_t line_feed = peeked->find('\n');
  absl::string_view line = peeked->substr(0, line_feed);
  const bool is_long = line.front() == 'L';
  uint64_t value = 0;
  const absl::string_view digits = line.substr(1, line.size() - (is_long && line.back() == 'L' ? 2 : 1));
  const bool valid = line_feed != absl::string_view::npos && absl::SimpleAtoi(digits, &value) &&
                     line == absl::StrCat(is_long ? "L" : "I", value, is_long ? "L" : "") &&
                     value <= std::numeric_limits<int64_t>::max() && (is_long || value > 0x7fffffff);
  if (!valid) return Invalid(offset, "there is no position");
  buffer_at_ += line_feed + 1;
  return value;
}

absl::StatusOr<bool> IndexReader::ReadBucket() {
  const absl::StatusOr<bool> end = IsEnd();
  if (!end.ok()) return end.status();
  if (*end) {
    at_end_ = true;
    return false;
  }
  if (absl::Status begin = Expect(BucketBegin(dialect_)); !begin.ok()) return begin;
  const uint64_t prefix_offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> prefix_bytes = Take(kPrefixSize);
  if (!prefix_bytes.ok()) return prefix_bytes.status();
  const uint64_t prefix = BigEndian(*prefix_bytes);
  if (prefix_ && prefix <= *prefix_) return Invalid(prefix_offset, "its prefixes are not in ascending order");
  prefix_ = prefix;
  const absl::StatusOr<size_t> size = ReadBytesSize();
  if (!size.ok()) return size.status();
  const uint64_t bytes_offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> bytes = Take(*size);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status taken = TakeEntries(prefix, *bytes, bytes_offset); !taken.ok()) return taken;
  if (absl::Status closed = Expect(BucketEnd(dialect_)); !closed.ok()) return closed;
  return true;
}

absl::StatusOr<size_t> IndexReader::ReadBytesSize() {
  const uint64_t offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> code = Take(1);
  if (!code.ok()) return code.status();
  const std::string opcode(*code);
  const size_t width = opcode == BucketBytesBegin(dialect_, 0).substr(0, 1) ? 1 : 4;
  const absl::StatusOr<absl::string_view> length = Take(width);
  if (!length.ok()) return length.status();
  const auto size = static_cast<size_t>(LittleEndian(*length));
  if (absl::StrCat(opcode, *length) != BucketBytesBegin(dialect_, size)) return Invalid(offset, "there is no bucket");
  if (size == 0 || size % kEntrySize != 0 || size > kMostBucketEntries * kEntrySize) {
    return Invalid(offset, absl::StrCat("a bucket has ", size, " bytes"));
  }
  return size;
}

absl::Status IndexReader::TakeEntries(uint64_t prefix, absl::string_view bytes, uint64_t bytes_offset) {
  const size_t count = bytes.size() / kEntrySize;
  const absl::string_view positions = bytes.substr(count * kSuffixSize);
  bucket_.clear();
  bucket_at_ = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t suffix = BigEndian(bytes.substr(i * kSuffixSize, kSuffixSize));
    const uint64_t position = BigEndian(positions.substr(i * kPositionSize, kPositionSize));
    const IndexEntry entry = {.oid = prefix << 16 | suffix, .position = position};
    absl::string_view wrong;
    if (i > 0 && entry.oid <= bucket_.back().oid) wrong = "its suffixes are not in ascending order";
    if (position < kFirstRecordPosition || position >= position_) wrong = "no record can be where it says";
    if (!wrong.empty()) {
      bucket_.clear();
      return Invalid(bytes_offset + i * kSuffixSize,
                     absl::StrCat("oid ", absl::Hex(entry.oid, absl::kZeroPad16), " at ", position, ": ", wrong));
    }
    bucket_.push_back(entry);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> IndexReader::IsEnd() {
  const absl::string_view end = IndexEnd(dialect_);
  const absl::StatusOr<absl::string_view> next = Peek(end.size() + 1);
  if (!next.ok()) return next.status();
  if (next->substr(0, end.size()) != end) return false;
  if (next->size() > end.size()) return Invalid(buffer_offset_ + buffer_at_ + end.size(), "bytes follow its end");
  return true;
}

absl::Status IndexReader::Expect(absl::string_view bytes) {
  const uint64_t offset = buffer_offset_ + buffer_at_;
  const absl::StatusOr<absl::string_view> found = Take(bytes.size());
  if (!found.ok()) return found.status();
  if (*found == bytes) return absl::OkStatus();
  return Invalid(offset, absl::StrCat("there is \"", absl::CHexEscape(*found), "\" in place of \"",
                                      absl::CHexEscape(bytes), "\""));
}

absl::StatusOr<absl::string_view> IndexReader::Take(size_t size) {
  const absl::StatusOr<absl::string_view> bytes = Peek(size);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() < size) return Invalid(buffer_offset_ + buffer_.size(), "it ends too soon");
  buffer_at_ += size;
  return *bytes;
}

absl::StatusOr<absl::string_view> IndexReader::Peek(size_t size) {
  if (buffer_.size() - buffer_at_ < size) {
    buffer_.erase(0, buffer_at_);
    buffer_offset_ += buffer_at_;
    buffer_at_ = 0;
    const size_t kept = buffer_.size();
    buffer_.resize(std::max(size, kReadSize));
    const absl::StatusOr<size_t> read = file_->ReadAt(buffer_offset_ + kept, absl::MakeSpan(buffer_).subspan(kept));
    buffer_.resize(kept + (read.ok() ? *read : 0));
    if (!read.ok()) return read.status();
  }
  return absl::string_view(buffer_).substr(buffer_at_, size);
}

absl::Status IndexReader::Invalid(uint64_t offset, absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("reading the index ", file_->path(), " at ", offset, ": ", what,
                   "; it is not as ZODB writes one: zrs index makes it anew from the data file"));
}

}  // namespace zrs::filestorage
