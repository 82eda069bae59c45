#include "tests/support/read_index_model.h"

#include "absl/strings/str_cat.h"

namespace zrs::tests {
namespace {

using filestorage::DataHeader;
using filestorage::DecodeDataHeader;
using filestorage::DecodeTransactionHeader;
using filestorage::DecodeUint64;
using filestorage::kDataHeaderSize;
using filestorage::kTransactionHeaderSize;
using filestorage::TransactionHeader;

// Python's integers do not overflow; sums of two 64-bit numbers and a bit fit in here.
__extension__ using Wide = __int128;

class Model {
 public:
  explicit Model(absl::string_view file) : file_(file), size_(file.size()) {}

  ReadIndexResult Run() {
    if (size_ == 0) return {.refused = false, .reason = "", .end = 4, .last_tid = 0};
    if (size_ < 4 || file_.substr(0, 4) != "FS30") return Refused("FileStorageFormatError");
    while (refused_.empty() && Step()) {
    }
    if (!refused_.empty()) return Refused(refused_);
    return {.refused = false, .reason = "", .end = pos_, .last_tid = last_tid_};
  }

 private:
  ReadIndexResult Refused(const std::string& why) const {
    return {.refused = true, .reason = absl::StrCat(why, " at ", pos_), .end = 0, .last_tid = 0};
  }

  bool Refuse(const char* why) {
    refused_ = why;
    return false;
  }

  // One transaction. False: it stops here.
  bool Step() {
    if (size_ - pos_ < kTransactionHeaderSize) return false;
    const TransactionHeader header = DecodeTransactionHeader(file_.substr(pos_));
    if ((header.status & 0x80) != 0) return Refuse("status is no ASCII");
    last_tid_ = header.tid;
    if (Wide{pos_} + header.length + 8 > size_ || header.status == 'c') return false;
    if (header.length < header.HeaderAndStringsSize()) {
      const uint64_t last_length = DecodeUint64(file_.substr(size_ - 8));
      if (Wide{size_} - last_length < pos_ || last_length < kTransactionHeaderSize) return false;
      return Refuse("invalid transaction header");
    }
    const uint64_t end = pos_ + header.length;
    if (header.status != 'u' && !Records(header, end)) return false;
    if (DecodeUint64(file_.substr(end)) != header.length) return Refuse("redundant length");
    pos_ = end + 8;
    return true;
  }

  bool Records(const TransactionHeader& transaction, uint64_t end) {
    uint64_t at = pos_ + transaction.HeaderAndStringsSize();
    while (at < end) {
      if (size_ - at < kDataHeaderSize) return Refuse("CorruptedDataError");
      const DataHeader record = DecodeDataHeader(file_.substr(at));
      if (record.version_length != 0) return Refuse("versions are not supported");
      if (record.data_length == 0 && size_ - at < kDataHeaderSize + 8) return Refuse("short back pointer");
      const Wide next = Wide{at} + kDataHeaderSize + (record.data_length == 0 ? 8 : record.data_length);
      if (next > end || record.transaction_position != pos_) return Refuse("record exceeds transaction");
      at = static_cast<uint64_t>(next);
    }
    return at == end || Refuse("records don't add up");
  }

  const absl::string_view file_;
  const uint64_t size_;
  uint64_t pos_ = 4;
  uint64_t last_tid_ = 0;
  std::string refused_;  // why; empty: it is not
};

}  // namespace

ReadIndexResult ReadIndexModel(absl::string_view file) { return Model(file).Run(); }

}  // namespace zrs::tests
