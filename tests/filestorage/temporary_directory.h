// A directory of a test's own, removed with all that is in it.
#ifndef ZRS_TESTS_FILESTORAGE_TEMPORARY_DIRECTORY_H_
#define ZRS_TESTS_FILESTORAGE_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "gtest/gtest.h"

namespace zrs::filestorage {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(testing::TempDir() + "/zrs-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot create " << path_;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_TEMPORARY_DIRECTORY_H_
