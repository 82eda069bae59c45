#include "sidecar/storage/role.h"

#include "sidecar/storage/state_file.h"

namespace zrs::storage {

absl::StatusOr<bool> WasPromoted(filestorage::FileSystem& file_system, const std::string& state_path) {
  const auto state = StateFile(file_system, state_path).Load();
  if (!state.ok()) return state.status();
  return state->has_value() && (*state)->role == "primary" && !(*state)->promoted_from.empty();
}

}  // namespace zrs::storage
