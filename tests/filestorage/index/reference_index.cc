#include "tests/filestorage/index/reference_index.h"

#include "filestorage/format.h"

namespace zrs::filestorage {
namespace {

std::string Number(uint64_t value, size_t size) { return EncodeUint64(value).substr(8 - size); }

std::string Reversed(const std::string& bytes) { return {bytes.rbegin(), bytes.rend()}; }

std::string Position(uint64_t value) {
  if (value < 256) return "K" + Number(value, 1);
  if (value < 65536) return "M" + Reversed(Number(value, 2));
  if (value < uint64_t{1} << 31) return "J" + Reversed(Number(value, 4));
  std::string bytes = Number(value, 8);
  while (bytes[0] == '\0' && static_cast<signed char>(bytes[1]) >= 0) bytes.erase(0, 1);
  return std::string("\x8a") + static_cast<char>(bytes.size()) + Reversed(bytes);
}

}  // namespace

std::map<uint64_t, uint64_t> ReferencePositions(absl::string_view file) {
  std::map<uint64_t, uint64_t> positions;
  for (size_t at = kMagicSize; at < file.size();) {
    const TransactionHeader header = DecodeTransactionHeader(file.substr(at));
    const size_t end = at + static_cast<size_t>(header.length);
    size_t record = at + static_cast<size_t>(header.HeaderAndStringsSize());
    while (header.status != kStatusUndone && record < end) {
      const DataHeader data = DecodeDataHeader(file.substr(record));
      positions[data.oid] = record;
      record += kDataHeaderSize + static_cast<size_t>(data.data_length == 0 ? 8 : data.data_length);
    }
    at = end + kLengthSize;
  }
  return positions;
}

std::string ReferenceIndex(const std::map<uint64_t, uint64_t>& positions, uint64_t position) {
  const std::string protocol = "\x80\x03";
  std::string index = protocol + Position(position) + ".";
  for (auto entry = positions.begin(); entry != positions.end();) {
    const uint64_t prefix = entry->first >> 16;
    std::string suffixes;
    std::string values;
    for (; entry != positions.end() && entry->first >> 16 == prefix; ++entry) {
      suffixes += Number(entry->first, 2);
      values += Number(entry->second, 6);
    }
    const size_t size = suffixes.size() + values.size();
    const std::string length = size < 256 ? "C" + Number(size, 1) : "B" + Reversed(Number(size, 4));
    index += protocol + "C\x06" + Number(prefix, 6) + length + suffixes + values + "\x86.";
  }
  return index + protocol + "N.";
}

std::string ReferenceIndexOf(absl::string_view file) { return ReferenceIndex(ReferencePositions(file), file.size()); }

}  // namespace zrs::filestorage
