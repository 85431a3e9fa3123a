from voxlake.cli.main import main

main()
