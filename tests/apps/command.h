#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {

/// What a command line left behind.
struct Outcome {
  int status = -1;
  std::string out, err;
};

/// Runs `perennial ARGUMENTS` through the shell.
inline Outcome perennial_command(const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  const int status =
      std::system((std::string(PERENNIAL_BINARY) + " " + arguments + " >" + out + " 2>" + err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out), read_file(err)};
}

/// What a command that must succeed prints; what it complains of is the test's failure.
inline std::string printed_by(const std::string& arguments) {
  const Outcome o = perennial_command(arguments);
  EXPECT_EQ(o.status, 0) << arguments << ": " << o.err;
  return o.out;
}

}  // namespace perennial
