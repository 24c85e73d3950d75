from resonare_pipeline.cli.display import listed_files


def test_files_of_a_folder_are_listed_by_their_number() -> None:
    chapters = [f"chapters/{number:03}.json" for number in range(1_200)]
    assert listed_files(["a.md", *chapters, "z.md"]) == "a.md, z.md, chapters/ (1,200 files)"
