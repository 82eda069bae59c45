#include "filestorage/format.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

uint64_t DecodeNumber(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void AppendNumber(uint64_t value, size_t size, std::string* out) {
  for (size_t i = size; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

// Takes fields off the front of a header.
class FieldReader {
 public:
  explicit FieldReader(absl::string_view bytes) : bytes_(bytes) {}
  uint64_t Take8() { return DecodeNumber(Take(8)); }
  uint16_t Take2() { return static_cast<uint16_t>(DecodeNumber(Take(2))); }
  char TakeByte() { return Take(1)[0]; }

 private:
  absl::string_view Take(size_t size) {
    const absl::string_view field = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return field;
  }
  absl::string_view bytes_;
};

}  // namespace

absl::string_view MagicBytes(Magic magic) { return magic == Magic::kFs21 ? "FS21" : "FS30"; }

absl::StatusOr<Magic> ParseMagic(absl::string_view bytes) {
  const absl::string_view found = bytes.substr(0, kMagicSize);
  for (const Magic magic : {Magic::kFs21, Magic::kFs30}) {
    if (found == MagicBytes(magic)) return magic;
  }
  return absl::DataLossError(absl::StrCat("not a FileStorage: it begins with '", absl::CHexEscape(found),
                                          "' instead of 'FS21' or 'FS30'; check the path"));
}

TransactionHeader DecodeTransactionHeader(absl::string_view bytes) {
  FieldReader reader(bytes);
  TransactionHeader header;
  header.tid = reader.Take8();
  header.length = reader.Take8();
  header.status = reader.TakeByte();
  header.user_length = reader.Take2();
  header.description_length = reader.Take2();
  header.extension_length = reader.Take2();
  return header;
}

DataHeader DecodeDataHeader(absl::string_view bytes) {
  FieldReader reader(bytes);
  DataHeader header;
  header.oid = reader.Take8();
  header.tid = reader.Take8();
  header.previous = reader.Take8();
  header.transaction_position = reader.Take8();
  header.version_length = reader.Take2();
  header.data_length = reader.Take8();
  return header;
}

std::string EncodeTransactionHeader(const TransactionHeader& header) {
  std::string out;
  out.reserve(kTransactionHeaderSize);
  AppendNumber(header.tid, 8, &out);
  AppendNumber(header.length, 8, &out);
  out.push_back(header.status);
  AppendNumber(header.user_length, 2, &out);
  AppendNumber(header.description_length, 2, &out);
  AppendNumber(header.extension_length, 2, &out);
  return out;
}

std::string EncodeDataHeader(const DataHeader& header) {
  std::string out;
  out.reserve(kDataHeaderSize);
  AppendNumber(header.oid, 8, &out);
  AppendNumber(header.tid, 8, &out);
  AppendNumber(header.previous, 8, &out);
  AppendNumber(header.transaction_position, 8, &out);
  AppendNumber(header.version_length, 2, &out);
  AppendNumber(header.data_length, 8, &out);
  return out;
}

uint64_t DecodeUint64(absl::string_view bytes) { return DecodeNumber(bytes.substr(0, 8)); }

std::string EncodeUint64(uint64_t value) {
  std::string out;
  AppendNumber(value, 8, &out);
  return out;
}

std::string TidHex(Tid tid) { return absl::StrCat(absl::Hex(tid, absl::kZeroPad16)); }

}  // namespace zrs::filestorage
