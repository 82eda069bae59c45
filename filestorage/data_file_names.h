// The names of what lies beside a data file. ZODB's own, but for what is being built.
#ifndef ZRS_FILESTORAGE_DATA_FILE_NAMES_H_
#define ZRS_FILESTORAGE_DATA_FILE_NAMES_H_

#include <string>

namespace zrs::filestorage {

std::string LockPath(const std::string& data_path);   // `Data.fs.lock`: held by whoever writes the file
std::string IndexPath(const std::string& data_path);  // `Data.fs.index`: where each object is; of use to ZODB alone
std::string OldPath(const std::string& data_path);    // `Data.fs.old`: the file before the last pack
std::string NewPath(const std::string& data_path);    // `Data.fs.zrs-new`: to be renamed to the live name
// `Data.fs.tr0` and so on: tails that were cut off.
std::string SavedTailPath(const std::string& data_path, int number);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_DATA_FILE_NAMES_H_
