#include "perennial/base/environment.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

/// Sets variables, and gives back what they were.
class Environment : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PERENNIAL_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"}) {
      const char* value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? std::optional<std::string>() : value);
      ::unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      ::unsetenv(name);
      if (value) ::setenv(name, value->c_str(), 1);
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST_F(Environment, EmptyIsUnset) {
  set("PERENNIAL_CACHE", "");
  EXPECT_FALSE(environment("PERENNIAL_CACHE"));
  set("PERENNIAL_CACHE", "x");
  EXPECT_EQ(environment("PERENNIAL_CACHE"), "x");
}

TEST_F(Environment, TheCacheFolderFollowsIt) {
  EXPECT_EQ(cache_folder(), "/tmp/perennial-cache");
  set("HOME", "/someone");
  EXPECT_EQ(cache_folder(), "/someone/.cache/perennial");
  set("XDG_CACHE_HOME", "relative/path");  // the specification: to be ignored
  EXPECT_EQ(cache_folder(), "/someone/.cache/perennial");
  set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(cache_folder(), "/xdg/perennial");
  set("PERENNIAL_CACHE", "/somewhere");
  EXPECT_EQ(cache_folder(), "/somewhere");
}

TEST_F(Environment, EmptyVariablesLeadNowhere) {
  for (const char* name : {"PERENNIAL_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"}) set(name, "");
  EXPECT_EQ(cache_folder(), "/tmp/perennial-cache");
}

TEST_F(Environment, TheTemporaryFolderIsOneThatExists) {
  const TemporaryFolder folder;
  EXPECT_EQ(temporary_folder(), "/tmp");
  set("TMPDIR", "/no/such/folder");
  EXPECT_EQ(temporary_folder(), "/tmp");
  set("TMPDIR", (folder / ".").string());
  EXPECT_EQ(temporary_folder(), folder / ".");
}

}  // namespace
}  // namespace perennial
