#include "luatrail/cli/cli.hpp"

int main(int argc, char** argv) {
    return luatrail::cli::run(argc, argv);
}
