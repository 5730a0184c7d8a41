class FilterModule:
    def filters(self):
        return {"late": lambda value: "late"}
