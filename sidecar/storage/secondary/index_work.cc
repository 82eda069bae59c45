#include "sidecar/storage/secondary/index_work.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"

namespace zrs::storage {
namespace {

// For sorting. An update has few records; the first one of a large file takes some more passes over what is spilled.
constexpr size_t kMemory = size_t{8} << 20;
// Where less is free, the index is not written: that is for what is replicated. It is looked at more often than so much
// can be written in between.
constexpr uint64_t kRoomForReplication = uint64_t{16} << 20;

absl::Status CheckRoom(filestorage::FileSystem& file_system, const std::string& path) {
  const absl::StatusOr<uint64_t> free = file_system.FreeBytes(filestorage::DirectoryOf(path));
  if (!free.ok()) return free.status();
  if (*free >= kRoomForReplication) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("writing ", filestorage::IndexPath(path), ": only ", *free,
                                                   " bytes are free on that disk, which are left to the copy itself; "
                                                   "make room there"));
}

}  // namespace

absl::StatusOr<filestorage::PreparedIndex> PrepareCopyIndex(filestorage::FileSystem& file_system,
                                                            const std::string& path, uint64_t end,
                                                            const std::atomic<bool>& cancelled) {
  absl::Status room = CheckRoom(file_system, path);
  if (!room.ok()) return room;
  const auto go_on = [&](uint64_t, uint64_t) {
    room = CheckRoom(file_system, path);
    return room.ok() && !cancelled;
  };
  absl::StatusOr<filestorage::PreparedIndex> prepared = filestorage::PrepareIndex(
      file_system, path, {.go_on = true, .memory_limit = kMemory, .up_to = end, .progress = go_on});
  if (!room.ok()) return room;
  return prepared;
}

}  // namespace zrs::storage
