#include "filestorage/format.h"

#include <endian.h>

#include <cassert>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

// Big-endian.
uint64_t Number8(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return be64toh(value);
}

uint16_t Number2(const char* bytes) {
  uint16_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return be16toh(value);
}

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
  assert(bytes.size() >= kTransactionHeaderSize);
  const char* const begin = bytes.data();
  TransactionHeader header;
  header.tid = Number8(begin);
  header.length = Number8(begin + 8);
  header.status = begin[kTransactionStatusOffset];
  header.user_length = Number2(begin + 17);
  header.description_length = Number2(begin + 19);
  header.extension_length = Number2(begin + 21);
  return header;
}

DataHeader DecodeDataHeader(absl::string_view bytes) {
  assert(bytes.size() >= kDataHeaderSize);
  const char* const begin = bytes.data();
  DataHeader header;
  header.oid = Number8(begin);
  header.tid = Number8(begin + 8);
  header.previous = Number8(begin + 16);
  header.transaction_position = Number8(begin + 24);
  header.version_length = Number2(begin + 32);
  header.data_length = Number8(begin + 34);
  return header;
}

uint64_t DecodeUint64(absl::string_view bytes) {
  assert(bytes.size() >= sizeof(uint64_t));
  return Number8(bytes.data());
}

std::string EncodeUint64(uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
  return out;
}

std::string TidHex(Tid tid) { return absl::StrCat(absl::Hex(tid, absl::kZeroPad16)); }

}  // namespace zrs::filestorage
