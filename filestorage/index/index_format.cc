#include "filestorage/index/index_format.h"

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

// Protocol 2 and later begin each pickle with an opcode that names the protocol.
constexpr absl::string_view kProtocol3("\x80\x03", 2);
constexpr char kStop = '.';

// Opcodes of the standard library's pickletools.
constexpr char kBinInt1 = 'K';
constexpr char kBinInt2 = 'M';
constexpr char kBinInt = 'J';
constexpr char kLong1 = '\x8a';
constexpr char kInt = 'I';
constexpr char kShortBinBytes = 'C';
constexpr char kBinBytes = 'B';
constexpr char kShortBinString = 'U';
constexpr char kBinString = 'T';

std::string LittleEndian(uint64_t value, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return bytes;
}

void AppendBigEndian(uint64_t value, size_t size, std::string* out) {
  for (size_t i = size; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::string PickledInt(IndexDialect dialect, uint64_t value) {
  if (value <= 0xff) return absl::StrCat(std::string(1, kBinInt1), LittleEndian(value, 1));
  if (value <= 0xffff) return absl::StrCat(std::string(1, kBinInt2), LittleEndian(value, 2));
  if (value <= 0x7fffffff) return absl::StrCat(std::string(1, kBinInt), LittleEndian(value, 4));
  // Protocol 1 has larger ones as text.
  if (dialect == IndexDialect::kPython2) return absl::StrCat(std::string(1, kInt), value, "\n");
  // As few bytes as hold it in two's complement.
  size_t size = 5;
  while (size < 8 && value >> (8 * size - 1) != 0) ++size;
  return absl::StrCat(std::string(1, kLong1), LittleEndian(size, 1), LittleEndian(value, size));
}

}  // namespace

IndexDialect DialectOf(Magic magic) { return magic == Magic::kFs21 ? IndexDialect::kPython2 : IndexDialect::kPython3; }

std::string EncodeIndexPosition(IndexDialect dialect, uint64_t position) {
  const absl::string_view begin = dialect == IndexDialect::kPython3 ? kProtocol3 : "";
  return absl::StrCat(begin, PickledInt(dialect, position), std::string(1, kStop));
}

void AppendIndexBucket(IndexDialect dialect, absl::Span<const IndexEntry> entries, std::string* out) {
  absl::StrAppend(out, BucketBegin(dialect));
  AppendBigEndian(PrefixOf(entries.front().oid), kPrefixSize, out);
  absl::StrAppend(out, BucketBytesBegin(dialect, entries.size() * (kSuffixSize + kPositionSize)));
  for (const IndexEntry& entry : entries) AppendBigEndian(entry.oid, kSuffixSize, out);
  for (const IndexEntry& entry : entries) AppendBigEndian(entry.position, kPositionSize, out);
  absl::StrAppend(out, BucketEnd(dialect));
}

absl::string_view IndexEnd(IndexDialect dialect) {
  return dialect == IndexDialect::kPython3 ? absl::string_view("\x80\x03N.", 4) : "N.";
}

absl::string_view BucketBegin(IndexDialect dialect) {
  return dialect == IndexDialect::kPython3 ? absl::string_view("\x80\x03\x43\x06", 4) : absl::string_view("(U\x06", 3);
}

absl::string_view BucketEnd(IndexDialect dialect) {
  return dialect == IndexDialect::kPython3 ? absl::string_view("\x86.", 2) : "t.";
}

std::string BucketBytesBegin(IndexDialect dialect, size_t size) {
  const bool python3 = dialect == IndexDialect::kPython3;
  const bool is_short = size <= 0xff;
  const char code = is_short ? (python3 ? kShortBinBytes : kShortBinString) : (python3 ? kBinBytes : kBinString);
  return absl::StrCat(std::string(1, code), LittleEndian(size, is_short ? 1 : 4));
}

}  // namespace zrs::filestorage
