#include "tests/simulation/packed_file.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "filestorage/format.h"

namespace zrs::simulation {
namespace {

using filestorage::kDataHeaderSize;
using filestorage::kLengthSize;

constexpr size_t kPreviousOffset = 16;     // in a data record: the object's previous record
constexpr size_t kTransactionOffset = 24;  // the record's transaction

struct Found {
  absl::string_view bytes;
  size_t first_record = 0;
  bool has_records = false;
};

std::vector<Found> Transactions(absl::string_view file) {
  std::vector<Found> found;
  for (size_t at = filestorage::kMagicSize; at < file.size();) {
    const auto header = filestorage::DecodeTransactionHeader(file.substr(at));
    const size_t size = static_cast<size_t>(header.length) + kLengthSize;
    const size_t first = static_cast<size_t>(header.HeaderAndStringsSize());
    found.push_back({file.substr(at, size), first, header.length > first});
    at += size;
  }
  return found;
}

// Calls `visit` with the position of each data record in the transaction's bytes.
template <typename Visit>
void VisitRecords(absl::string_view bytes, size_t first_record, Visit visit) {
  for (size_t at = first_record; at + kLengthSize < bytes.size();) {
    const auto record = filestorage::DecodeDataHeader(bytes.substr(at));
    visit(at, record);
    at += kDataHeaderSize + static_cast<size_t>(record.data_length == 0 ? 8 : record.data_length);
  }
}

// The transaction as it is at `position`. Where its back pointers led may be gone: they become deletions.
std::string MovedTo(uint64_t position, const Found& transaction) {
  std::string bytes(transaction.bytes);
  VisitRecords(transaction.bytes, transaction.first_record, [&](size_t at, const filestorage::DataHeader& record) {
    bytes.replace(at + kPreviousOffset, 8, filestorage::EncodeUint64(0));
    bytes.replace(at + kTransactionOffset, 8, filestorage::EncodeUint64(position));
    if (record.data_length == 0) bytes.replace(at + kDataHeaderSize, 8, filestorage::EncodeUint64(0));
  });
  return bytes;
}

// Of an object that has any revision in the packed part, its latest one of the moment of the pack is there too.
void KeepCurrentRevisions(const std::vector<Found>& packed, std::vector<bool>* kept) {
  std::vector<std::vector<uint64_t>> oids(packed.size());
  std::map<uint64_t, size_t> current;  // oid -> the last transaction that has it
  for (size_t i = 0; i < packed.size(); ++i) {
    VisitRecords(packed[i].bytes, packed[i].first_record, [&](size_t /*at*/, const filestorage::DataHeader& record) {
      oids[i].push_back(record.oid);
      current[record.oid] = i;
    });
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < packed.size(); ++i) {
      if (!(*kept)[i]) continue;
      for (const uint64_t oid : oids[i]) {
        if ((*kept)[current[oid]]) continue;
        (*kept)[current[oid]] = true;
        changed = true;
      }
    }
  }
}

}  // namespace

std::string PackedFile(absl::string_view file, bool drop_end, SeededRandom& random) {
  const std::vector<Found> all = Transactions(file);
  const size_t packed = random.OneIn(2) ? all.size() : random.Below(all.size() + 1);  // so many are up to the moment
  size_t keep = packed;  // number of the one to keep, from 1
  while (keep > 0 && !all[keep - 1].has_records) --keep;
  if (keep == 0 || !drop_end) keep = packed;
  const uint64_t drop_one_in = random.Between(1, 4);
  std::vector<bool> kept(packed);
  for (size_t i = 0; i < packed; ++i) kept[i] = i + 1 == keep || (i < keep && !random.OneIn(drop_one_in));
  KeepCurrentRevisions({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(packed)}, &kept);
  std::string made(file.substr(0, filestorage::kMagicSize));
  for (size_t i = 0; i < all.size(); ++i) {
    if (i < packed && !kept[i]) continue;
    std::string bytes = MovedTo(made.size(), all[i]);
    if (i < packed) bytes.replace(filestorage::kTransactionStatusOffset, 1, 1, filestorage::kStatusPacked);
    made += bytes;
  }
  return made;
}

}  // namespace zrs::simulation
