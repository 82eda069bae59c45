// Layout of a ZODB FileStorage file (`Data.fs`): constants, and encoding of its headers. All numbers are big-endian.
// Specified, with an example in hex, in README.md beside this file; the origin is ZODB/FileStorage/format.py.
#ifndef ZRS_FILESTORAGE_FORMAT_H_
#define ZRS_FILESTORAGE_FORMAT_H_

#include <endian.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zrs::filestorage {

// A transaction id: 8 bytes big-endian in the file, and a time stamp (timestamp.h). 0 stands for "none".
using Tid = uint64_t;

inline constexpr size_t kMagicSize = 4;
inline constexpr size_t kTransactionHeaderSize = 23;  // tid 8, length 8, status 1, three string lengths of 2
inline constexpr size_t kTransactionStatusOffset = 16;
inline constexpr size_t kDataHeaderSize = 42;
inline constexpr size_t kLengthSize = 8;             // the redundant length behind a transaction
inline constexpr size_t kBackPointerSize = 8;        // in place of data, where the data length is 0
inline constexpr size_t kVersionPositionsSize = 16;  // before a version's name, in files from before ZODB 3.9

// The first four bytes of a file.
enum class Magic { kFs21, kFs30 };
absl::string_view MagicBytes(Magic magic);
// DataLoss when `bytes` (at least the first 4 of a file; fewer is an error too) is no FileStorage's.
absl::StatusOr<Magic> ParseMagic(absl::string_view bytes);

// The status byte of a transaction.
inline constexpr char kStatusComplete = ' ';
inline constexpr char kStatusPacked = 'p';
inline constexpr char kStatusUndone = 'u';      // historic: readers skip the transaction
inline constexpr char kStatusInProgress = 'c';  // voted, not finished; only ever at the end of a file
// Whether it is one of the first three: the transaction is there to stay.
inline constexpr bool IsFinalStatus(char status) {
  return status == kStatusComplete || status == kStatusPacked || status == kStatusUndone;
}

// A transaction's first 23 bytes.
struct TransactionHeader {
  Tid tid = 0;
  uint64_t length = 0;  // of the transaction without the redundant length behind it: the next begins at +length+8
  char status = kStatusComplete;
  uint16_t user_length = 0;
  uint16_t description_length = 0;
  uint16_t extension_length = 0;

  // Size of the header and its three strings: the least that `length` may be.
  uint64_t HeaderAndStringsSize() const {
    return kTransactionHeaderSize + uint64_t{user_length} + description_length + extension_length;
  }
  friend bool operator==(const TransactionHeader&, const TransactionHeader&) = default;
};

// A data record's first 42 bytes.
struct DataHeader {
  uint64_t oid = 0;
  Tid tid = 0;
  uint64_t previous = 0;              // position of this oid's previous record, or 0
  uint64_t transaction_position = 0;  // where the transaction that contains the record begins
  uint16_t version_length = 0;
  uint64_t data_length = 0;  // 0: an 8-byte back pointer follows in place of data

  friend bool operator==(const DataHeader&, const DataHeader&) = default;
};

// Of a number's first byte.
inline uint64_t DecodeUint64At(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return be64toh(value);
}
inline uint16_t DecodeUint16At(const char* bytes) {
  uint16_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return be16toh(value);
}

// `bytes` must be at least as long as the header; what follows is ignored. Here, as a file of small transactions is
// little else than headers: a caller then decodes what it needs of them.
inline TransactionHeader DecodeTransactionHeader(absl::string_view bytes) {
  assert(bytes.size() >= kTransactionHeaderSize);
  const char* const begin = bytes.data();
  TransactionHeader header;
  header.tid = DecodeUint64At(begin);
  header.length = DecodeUint64At(begin + 8);
  header.status = begin[kTransactionStatusOffset];
  header.user_length = DecodeUint16At(begin + 17);
  header.description_length = DecodeUint16At(begin + 19);
  header.extension_length = DecodeUint16At(begin + 21);
  return header;
}
inline DataHeader DecodeDataHeader(absl::string_view bytes) {
  assert(bytes.size() >= kDataHeaderSize);
  const char* const begin = bytes.data();
  DataHeader header;
  header.oid = DecodeUint64At(begin);
  header.tid = DecodeUint64At(begin + 8);
  header.previous = DecodeUint64At(begin + 16);
  header.transaction_position = DecodeUint64At(begin + 24);
  header.version_length = DecodeUint16At(begin + 32);
  header.data_length = DecodeUint64At(begin + 34);
  return header;
}

// `bytes` has at least 8.
inline uint64_t DecodeUint64(absl::string_view bytes) {
  assert(bytes.size() >= sizeof(uint64_t));
  return DecodeUint64At(bytes.data());
}
std::string EncodeUint64(uint64_t value);

// 16 lower-case hex digits, as ZODB's tools print transaction ids.
std::string TidHex(Tid tid);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_FORMAT_H_
