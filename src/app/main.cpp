#include "commands.hpp"

int main(int argc, char** argv) {
    return luatrail::app::run(argc, argv);
}
