// Builds the bytes of FileStorage files for tests, without ZODB.
#ifndef ZRS_TESTS_SUPPORT_FILE_BUILDER_H_
#define ZRS_TESTS_SUPPORT_FILE_BUILDER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"

namespace zrs::tests {

// A data record to write. With empty `data` it holds a back pointer: `back_pointer`, 0 unless set.
struct RecordSpec {
  uint64_t oid = 0;
  std::string data = {};
  uint64_t back_pointer = 0;
  // The position of the oid's previous record; absent: the one that the builder wrote last (0 when there is none).
  std::optional<uint64_t> previous = {};
  // Not empty: a record of the dropped version feature, with 16 bytes of positions and this name before the data.
  std::string version = {};
};

struct TransactionSpec {
  filestorage::Tid tid = 0;
  char status = filestorage::kStatusComplete;
  std::string user = {};
  std::string description = {};
  std::string extension = {};
  std::vector<RecordSpec> records = {};
};

// The bytes of a transaction at `offset` of its file, redundant length included. A record without `previous` gets 0.
std::string EncodeTransaction(const TransactionSpec& transaction, uint64_t offset);

// A file in memory that grows by whole transactions. Everything about it is deterministic.
class FileBuilder {
 public:
  explicit FileBuilder(filestorage::Magic magic = filestorage::Magic::kFs30);

  // Appends a transaction, of whatever status, and returns *this.
  FileBuilder& Add(TransactionSpec transaction);
  // Appends `count` complete transactions with tids that follow the last one's: the n-th has n % 3 + 1 records, each
  // of `data_size` bytes (at least 1) that differ from record to record.
  FileBuilder& AddMany(size_t count, size_t data_size);

  filestorage::Magic magic() const { return magic_; }
  // The whole file.
  const std::string& bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }
  // The boundaries behind the magic ([0]) and behind each transaction that was added ([n]).
  const std::vector<filestorage::Boundary>& boundaries() const { return boundaries_; }
  const filestorage::Boundary& end() const { return boundaries_.back(); }
  // The bytes of the n-th transaction, n from 1 as for boundaries().
  absl::string_view transaction(size_t n) const;
  // The position of the oid's last record; 0 when there is none.
  uint64_t record_position(uint64_t oid) const;

 private:
  filestorage::Magic magic_;
  std::string bytes_;
  std::vector<filestorage::Boundary> boundaries_;
  std::map<uint64_t, uint64_t> record_positions_;  // of each oid's last record
};

// The tid of the n-th of a row of transactions: increasing, 1 second apart, and valid time stamps (in the year 2024)
// for n below 40,000.
filestorage::Tid TestTid(uint64_t n);

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_FILE_BUILDER_H_
