# shellcheck shell=bash
# The entry of the Magnum plugin: DevStack sources this file once for each mode and phase.
#
#   plugin.sh stack install|post-config|extra
#   plugin.sh unstack
#   plugin.sh clean
#
# It must not change the shell's options: they are those of stack.sh.

# shellcheck source=devstack/lib/magnum
source "$MAGNUM_DIR/devstack/lib/magnum"

if is_magnum_enabled; then
    case "$1 ${2:-}" in
        "stack install")
            echo_summary "Installing Magnum"
            install_magnum
            ;;
        "stack post-config")
            echo_summary "Configuring Magnum"
            configure_magnum
            create_magnum_accounts
            init_magnum
            ;;
        "stack extra")
            echo_summary "Starting Magnum"
            start_magnum
            ;;
        "unstack ")
            stop_magnum
            ;;
        "clean ")
            cleanup_magnum
            ;;
    esac
fi
